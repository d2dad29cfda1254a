"""Jepsen's bank workload over three real nodes: whatever happens, every unit is accounted for."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support import jepsen
from support.banks import BankProcess
from support.netns import lan, why_not
from support.nodes import some_host

_SEED = int(os.environ.get("JEPSEN_SEED", "0")) or int.from_bytes(os.urandom(4), "big")
_BANKS = 3
_PORT = 65525


@pytest.fixture
def places(tmp_path: Path) -> Iterator[list[jepsen.Place]]:
    """Three banks; on hosts of their own, with cables to pull, where there can be such."""
    with ExitStack() as stack:
        if why_not():
            print(f"no cables are pulled: {why_not()}")
            addresses = [some_host() for _ in range(_BANKS)]
            opened = [
                jepsen.Place(BankProcess(tmp_path / each, each, addresses, **jepsen.FAULTS), None)
                for each in addresses
            ]
        else:
            hosts = stack.enter_context(lan(_BANKS))
            addresses = [host.address for host in hosts]
            opened = [
                jepsen.Place(
                    BankProcess(
                        tmp_path / host.address,
                        host.address,
                        addresses,
                        port=_PORT,
                        prefix=host.command(),
                        **jepsen.FAULTS,
                    ),
                    host,
                )
                for host in hosts
            ]
        stack.callback(jepsen.close, opened)
        for place in opened:
            place.bank.start()
        yield opened


def rage_and_count(places: list[jepsen.Place], seconds: float) -> jepsen.History:
    print(f"JEPSEN_SEED={_SEED}")
    history, nemesis = jepsen.run(places, seconds, _SEED)
    print(dict(history.outcomes()), dict(nemesis.done), f"{history.reads} reads")
    jepsen.check(places, history)
    assert history.outcomes()["ok"] > 10, "hardly anything was carried out"
    assert history.reads > 5, "hardly anything was read"
    assert sum(nemesis.done.values()) > 0
    return history


@pytest.mark.skipif(os.name == "nt", reason="processes cannot be frozen here")
def test_ten_seconds_of_harm_lose_and_invent_nothing(places):
    history = rage_and_count(places, 10)
    assert_the_count_notices(places, history)


def assert_the_count_notices(places: list[jepsen.Place], history: jepsen.History) -> None:
    """Whoever counts is counted on: two lies are found at once."""
    for told, lie in (("ok", "fail"), ("fail", "ok")):
        operation = next(each for each in history.operations if each.outcome == told)
        operation.outcome = lie
        with pytest.raises(AssertionError, match=operation.name):
            jepsen.check(places, history)
        operation.outcome = told


@pytest.mark.soak
@pytest.mark.skipif(os.name == "nt", reason="processes cannot be frozen here")
def test_minutes_of_harm_lose_and_invent_nothing(places):
    rage_and_count(places, float(os.environ.get("JEPSEN_SECONDS", "180")))
