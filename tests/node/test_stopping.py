"""SIGTERM and SIGINT end a node in order: what was accepted is answered and durable."""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.nodes import stalling_node
from support.polling import until
from support.processes import Served
from support.wire import Wire, open_account


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_an_idle_node_at_once_silently_and_with_0(
    serve: Callable[..., Served], name: str
) -> None:
    served = serve(BANK_NETWORK_TIMEOUT="60")
    idle = [served.wire() for _ in range(3)]
    assert idle[0].ask("BN") == "BN 0"
    began = time.monotonic()
    served.process.send_signal(getattr(signal, name))
    assert served.ended() == (0, "")
    assert time.monotonic() - began < 30, "it waited for nobody"
    for wire in idle:
        assert wire.rest() == ""
        wire.close()


def test_everything_acknowledged_before_the_end_is_there_after_a_restart(
    serve: Callable[..., Served],
) -> None:
    served = serve()
    with served.wire() as wire:
        account = open_account(wire)
        wire.send(f"AD {account} 1\n".encode() * 20_000)
        wire.lines(2000)
        served.terminate()
        acknowledged = 2000 + wire.rest().count("AD\r\n")
    assert served.ended() == (0, "")
    with serve().wire() as wire:
        assert wire.ask(f"AB {account}") == f"AB {acknowledged}"
        assert wire.ask("BA") == f"BA {acknowledged}"


def test_accepted_requests_and_their_backlog_are_answered_while_stopping(tmp_path: Path) -> None:
    with stalling_node(tmp_path, network__timeout=60.0, limits__requests_in_flight=4) as (
        node,
        store,
    ):
        wire = node.wire()
        account = open_account(wire)
        store.go.clear()
        wire.send(f"AD {account} 1\n".encode() * 50)
        assert store.waiting.wait(60)
        stopper = threading.Thread(target=node.node.stop)
        stopper.start()

        def refused() -> bool:
            try:
                Wire(node.address).close()
            except ConnectionRefusedError:
                return True
            return False

        until(refused, "no new connections are taken")
        assert stopper.is_alive()
        began = time.monotonic()
        store.go.set()
        assert wire.rest() == "AD\r\n" * 50
        stopper.join(60)
        assert time.monotonic() - began < 30
        wire.close()


def test_a_client_that_does_not_read_cannot_keep_a_node_from_ending(tmp_path: Path) -> None:
    with stalling_node(tmp_path, network__timeout=1.0) as (node, _):
        wire = node.wire(deadline_s=0.5)
        with pytest.raises(TimeoutError):
            wire.send(b"HE\n" * 10_000_000)
        began = time.monotonic()
        node.node.stop()
        assert time.monotonic() - began < 20
        wire.close()


def test_a_node_in_a_process_of_others_can_be_started_and_stopped_again_and_again(
    tmp_path: Path,
) -> None:
    for times in range(5):
        with stalling_node(tmp_path) as (node, _), node.wire() as wire:
            assert wire.ask("BN") == f"BN {times}"
            open_account(wire)


def test_two_io_threads_stop_in_order_too(serve: Callable[..., Served]) -> None:
    served = serve(BANK_NETWORK_IO_THREADS="2")
    wires = [served.wire() for _ in range(8)]
    accounts = [open_account(wire) for wire in wires]
    for wire, account in zip(wires, accounts, strict=True):
        wire.send(f"AD {account} 1\n".encode() * 200)
        assert wire.line() == "AD"
    served.terminate()
    acknowledged = [1 + wire.rest().count("AD\r\n") for wire in wires]
    assert served.ended() == (0, "")
    for wire in wires:
        wire.close()
    with serve().wire() as wire:
        assert [wire.ask(f"AB {account}") for account in accounts] == (
            [f"AB {amount}" for amount in acknowledged]
        )
