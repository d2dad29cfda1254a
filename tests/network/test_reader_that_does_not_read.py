"""A client that asks and never reads costs bounded memory, and is dropped at the time-out."""

import contextlib
import resource
from collections.abc import Callable

from support.nodes import Running
from support.polling import until


def test_a_client_that_reads_nothing_is_dropped_and_memory_stays_bounded(
    start: Callable[..., Running],
) -> None:
    node = start(network__timeout=0.8, limits__write_buffer_bytes=65_536)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with node.wire(deadline_s=2) as wire, node.wire() as other:
        until(lambda: node.connections == 2, "both clients are there")
        # 340,000 requests whose replies are 35 MB: far more than the sockets' buffers hold.
        with contextlib.suppress(TimeoutError, ConnectionError):
            for _ in range(340):
                wire.send(b"HE\n" * 1000)
        until(lambda: node.connections == 1, "the client that does not read is dropped")
        assert other.ask("BN") == "BN 0"
        assert node.figures()["connections_dropped"] == 1
    after_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after_kb - before_kb < 30_000


def test_a_client_with_requests_in_the_backlog_is_not_taken_for_a_mute_one(
    start: Callable[..., Running],
) -> None:
    node = start(network__client_time_out=0.3, limits__write_buffer_bytes=4096)
    with node.wire() as wire, node.wire() as other:
        wire.send(b"HE\n" * 20_000)
        # The other one is as silent, but nothing of it is unanswered.
        assert other.rest() == ""
        assert len(wire.lines(20_000)) == 20_000


def test_a_slow_reader_that_keeps_reading_gets_everything(start: Callable[..., Running]) -> None:
    node = start(limits__write_buffer_bytes=4096)
    with node.wire() as wire:
        wire.send(b"HE\nBN\n" * 20_000)
        replies = wire.lines(40_000)
    assert set(replies[1::2]) == {"BN 0"}
    assert len(set(replies[::2])) == 1
