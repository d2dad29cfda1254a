"""Money for banks that know deposits only, and that misbehave: never twice, and never from nowhere.

Whatever such a bank does, its deposit is sent once at most. A yes is booked, a clear no is
refunded, and everything else stays on hold as unknown until the operator has decided.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from support import zoo
from support.nodes import WORKER, Running, running_node
from support.polling import until
from support.wire import Wire, open_account

from bank_node.ledger.transfers import Transfer

START, AMOUNT, THERE = 100, 7, 500
ACCOUNT, NOBODY = 10_001, 99_999
TIMEOUT_S = 2.0
# Needs seconds for one line.
SLOWEST, SLOWEST_TIMEOUT_S = "slowly byte by byte", 6.0
# What these do cannot be told from a bank that died in the middle of its work.
SILENT = {"mute", "mute but acts", "hangs up", "resets", "resets mid reply", "long line",
          "endless line"}  # fmt: skip

_addresses = (
    f"127.{160 + WORKER}.{a}.{b}" for a, b in itertools.product(range(1, 250), range(1, 250))
)

Open = Callable[..., tuple[Running, zoo.Peer]]


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Open]:
    """Opens a bank that is orderly until a node knows it, and misbehaves from then on."""
    with ExitStack() as stack:

        def open_both(behaviour: str, **changes: object) -> tuple[Running, zoo.Peer]:
            peer = stack.enter_context(zoo.bank(host=next(_addresses), accounts={ACCOUNT: THERE}))
            node = stack.enter_context(
                running_node(
                    tmp_path / "data",
                    network__timeout=SLOWEST_TIMEOUT_S if behaviour == SLOWEST else TIMEOUT_S,
                    network__peers=[f"{peer.host}:{peer.port}"],
                )
            )
            until(lambda: has_been_met(node, peer), "the bank is known")
            peer.behaviour = replace(zoo.BEHAVIOURS[behaviour], **changes)  # type: ignore[arg-type]
            return node, peer

        yield open_both


def has_been_met(node: Running, peer: zoo.Peer) -> bool:
    row = node.directory.verified(peer.host)
    return row is not None and row.introduced_at is not None


def money(wire: Wire, source: str) -> tuple[int, int]:
    """What the payer may spend, and what the bank owes all its clients."""
    return int(wire.ask(f"AB {source}")[3:]), int(wire.ask("BA")[3:])


def assert_fits(wire: Wire, source: str, peer: zoo.Peer, state: str) -> None:
    """Both banks hold what they have to, by the state of the transfer at the payer's."""
    arrived = peer.accounts[ACCOUNT] - THERE
    assert peer.count("AD") <= 1, "a deposit was sent again"
    if state == "committed":
        assert (money(wire, source), arrived) == ((START - AMOUNT, START - AMOUNT), AMOUNT)
    elif state == "aborted":
        assert (money(wire, source), arrived) == ((START, START), 0)
    else:
        assert state == "unknown"
        assert money(wire, source) == (START - AMOUNT, START), "it is neither gone nor back"


def state_of(wire: Wire) -> str:
    return wire.ask("TS it").split()[2]


@pytest.mark.parametrize("behaviour", sorted(set(zoo.BEHAVIOURS) - {"bans"}))
def test_a_bank_that_misbehaves_gets_money_once_or_not_at_all(beside, behaviour):
    node, peer = beside(behaviour)
    with node.wire() as wire:
        source = open_account(wire, START)
        line = f"TR {source} {ACCOUNT}/{peer.host} {AMOUNT} it"
        reply = wire.ask(line)
        state = state_of(wire)
        assert (state == "unknown") is (behaviour in SILENT), reply
        assert_fits(wire, source, peer, state)
        assert (reply == "TR it committed") is (state == "committed")
        # Whoever asks again is told the same, and nothing is sent. The first time may have been
        # over a moment before the other bank's.
        assert wire.ask(line) == reply or (state == "unknown" and reply.startswith("ER "))
        assert_fits(wire, source, peer, state)
        if state == "unknown":
            has_arrived = peer.accounts[ACCOUNT] != THERE
            settle(node, commit=has_arrived)
            assert state_of(wire) == ("committed" if has_arrived else "aborted")
            assert_fits(wire, source, peer, state_of(wire))


def settle(node: Running, *, commit: bool) -> None:
    """What an operator decides who has looked into the books of the other bank."""
    assert node.node.transfers is not None
    assert isinstance(
        node.node.transfers.settle("it", "the bank was called", commit=commit), Transfer
    )


@pytest.mark.parametrize("behaviour", sorted(set(zoo.BEHAVIOURS) - SILENT - {"bans"}))
def test_what_such_a_bank_clearly_refuses_is_refunded_to_the_unit(beside, behaviour):
    node, peer = beside(behaviour)
    with node.wire() as wire:
        source = open_account(wire, START)
        line = f"TR {source} {NOBODY}/{peer.host} {AMOUNT} it"
        assert wire.ask(line).startswith("ER ")
        state = state_of(wire)
        # One that needs seconds for a line may be too late to have said anything.
        assert state == "aborted" or behaviour == SLOWEST
        assert_fits(wire, source, peer, state)
        assert peer.count("AD") == 1


def test_a_bank_that_answers_too_late_is_not_asked_again(beside):
    node, peer = beside("orderly", first_byte_s=1.5 * TIMEOUT_S)
    with node.wire() as wire:
        source = open_account(wire, START)
        line = f"TR {source} {ACCOUNT}/{peer.host} {AMOUNT} it"
        replies = [wire.ask(line) for _ in range(3)]
        assert all(reply.startswith("ER ") for reply in replies)
        until(lambda: peer.accounts[ACCOUNT] == THERE + AMOUNT, "it has carried it out")
        assert state_of(wire) == "unknown"
        assert_fits(wire, source, peer, "unknown")
