"""A bank dies at every point at which it could lose something: the money is counted afterwards.

Each test brings one bank to kill itself at one point of a transfer, starts it again, and has all
transfers end by themselves.
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import zoo
from support.banks import BankProcess, assert_nothing_is_missing, has_ended
from support.nodes import some_host
from support.polling import until
from support.wire import open_account

from bank_node.config.crash_points import CRASH_POINTS

_START = 1000
_AMOUNT = 7


class Pair:
    """The payer's bank and the payee's, an account at either, and one transfer after the other."""

    def __init__(self, folder: Path) -> None:
        hosts = [some_host(), some_host()]
        self.payer, self.payee = (
            BankProcess(folder / host, host, hosts, BANK_NETWORK_TIMEOUT="2") for host in hosts
        )
        self.banks = {"payer": self.payer, "payee": self.payee}
        self._ids = itertools.count(1)
        self.aways = (
            f"ER No bank answers at {self.payee.host}.",
            f"ER The bank {self.payee.host} did not answer, nothing was booked.",
        )
        self._left, self._arrived = _START, 1

    def open(self) -> None:
        """Starts both banks without faults, with an account and money at each."""
        together(self.payer.start, self.payee.start)
        with self.payer.wire() as payer, self.payee.wire() as payee:
            self.source, self.target = open_account(payer, _START), open_account(payee, 1)
        # From now on they know each other's keys and need not look for each other.
        hello = f"TR {self.source} {self.target} 0"
        until(lambda: self.payer.ask(hello).startswith("TR "), "the banks know each other")
        until(self.is_at_rest, "nothing is left of the greeting")

    def close(self) -> None:
        for bank in self.banks.values():
            bank.kill()

    def is_at_rest(self) -> bool:
        return has_ended(list(self.banks.values()))

    def dies_at(self, point: str) -> BankProcess:
        """The bank of a point is started anew with it; the other one goes on."""
        bank = self.banks[point.partition(".")[0]]
        bank.kill()
        return bank.start(**deadly(point))

    def transfer(self, payee: str = "") -> None:
        """Asks for the next transfer, and does not mind if nobody lives to answer."""
        line = f"TR {self.source} {payee or self.target} {_AMOUNT}"
        until(lambda: self._is_taken(line), "the payer's bank knows that the payee's is back")

    def _is_taken(self, line: str) -> bool:
        self._id = f"t{next(self._ids)}"
        with self.payer.wire() as wire:
            wire.send(f"{line} {self._id}\r\n".encode())
            try:
                self.told = wire.line()
            except (OSError, AssertionError):
                self.told = ""
        # A bank that was away is held to be away for a moment, and then nothing is tried.
        was_away = self.told.startswith(self.aways)
        return not was_away or any(bank.has_died() for bank in self.banks.values())

    def count(self) -> bool:
        """Counts everything at the end; whether the transfer was carried out."""
        left, arrived = assert_nothing_is_missing((self.payer, self.payee), _START + 1, within_s=60)
        moved = self._left - left.total
        assert moved in (0, _AMOUNT)
        assert arrived.total == self._arrived + moved
        self._left, self._arrived = left.total, arrived.total
        state = self.payer.ask(f"TS {self._id}")
        assert (moved > 0) == state.startswith(f"TS {self._id} committed"), state
        assert moved or not self.told.endswith("committed"), "who was told yes has paid"
        return moved > 0


def deadly(point: str) -> dict[str, str]:
    """The settings with which a bank dies at a point."""
    return {"BANK_FAULTS_ENABLED": "true", "BANK_FAULTS_CRASH_AT": point}


def together(*calls: Callable[[], object]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Pair]]:
    """The pair that the tests of this process share, as long as it is as it should be."""
    pairs: list[Pair] = []
    try:
        yield pairs
    finally:
        for each in pairs:
            each.close()


@pytest.fixture
def pair(opened: list[Pair], tmp_path: Path) -> Iterator[Pair]:
    if not opened:
        opened.append(Pair(tmp_path))
        opened[0].open()
    (used,) = opened
    yield used
    if any(bank.has_died() for bank in used.banks.values()) or not used.is_at_rest():
        opened.pop().close()


def prepare_and_die(pair: Pair) -> None:
    """The payer's bank dies when it has asked for a promise, so that nothing is decided."""
    dying = pair.dies_at("payer.after-prepare-sent")
    pair.transfer()
    dying.bury()


def pass_on_the_way(pair: Pair, point: str) -> None:
    """What every transfer passes that is carried out."""
    dying = pair.dies_at(point)
    pair.transfer()
    dying.bury()


def pass_when_refused(pair: Pair, point: str) -> None:
    dying = pair.dies_at(point)
    pair.transfer(f"99999/{pair.payee.host}")
    dying.bury()


def pass_when_it_gives_up(pair: Pair, point: str) -> None:
    """A bank that comes back gives up what it had not decided, and says so."""
    prepare_and_die(pair)
    pair.payer.start_and_die(**deadly(point))
    pair.payer.start()
    # It would ask by itself, but only after a while; a bank that comes back asks at once.
    pair.payee.kill()
    pair.payee.start()


def pass_when_told_that_it_was_given_up(pair: Pair, point: str) -> None:
    dying = pair.dies_at(point)
    prepare_and_die(pair)
    pair.payer.start()
    dying.bury()


def pass_when_it_asks(pair: Pair, point: str) -> None:
    """A bank that comes back with a promise asks what became of it."""
    prepare_and_die(pair)
    pair.payee.kill()
    pair.payee.start_and_die(**deadly(point))
    pair.payer.start()


def pass_when_it_is_asked(pair: Pair, point: str) -> None:
    prepare_and_die(pair)
    pair.payee.kill()
    dying = pair.dies_at(point)
    pair.payee.start()
    dying.bury()


WAYS: dict[str, Callable[[Pair, str], None]] = {
    "payer.abort-durable": pass_when_refused,
    "payer.abort-sent": pass_when_it_gives_up,
    "payer.answer-durable": pass_when_it_is_asked,
    "payer.answer-sent": pass_when_it_is_asked,
    "payee.release-durable": pass_when_told_that_it_was_given_up,
    "payee.release-sent": pass_when_told_that_it_was_given_up,
    "payee.question-sent": pass_when_it_asks,
}
# When the payer's bank has said yes to itself: from then on nothing can be given up.
DECIDED = {
    "payer.after-commit-durable",
    *(
        f"{role}.{moment}-{act}"
        for role, act in (
            ("payer", "commit-sent"),
            ("payer", "end-durable"),
            ("payer", "reply-sent"),
            ("payee", "credit-durable"),
            ("payee", "credit-sent"),
        )
        for moment in ("before", "after")
    ),
}
TO_OUR_KIND = [point for point in CRASH_POINTS if "deposit" not in point]


@pytest.mark.parametrize("point", TO_OUR_KIND)
def test_a_bank_that_dies_at_a_point_loses_no_unit_and_every_transfer_ends(pair, point):
    role, _, rest = point.partition(".")
    act = rest.partition("-")[2]
    WAYS.get(f"{role}.{act}", pass_on_the_way)(pair, point)
    if pair.banks[role].has_died():
        pair.banks[role].start()
    is_done = pair.count()
    if point in DECIDED:
        assert is_done


def test_every_point_that_there_is_has_a_way_to_it():
    assert {point.partition(".")[0] for point in CRASH_POINTS} == {"payer", "payee"}
    assert set(CRASH_POINTS) - set(TO_OUR_KIND) <= set(TO_A_STRANGER)
    assert set(CRASH_POINTS) >= DECIDED


# Toward a bank that knows deposits only.

TO_A_STRANGER = {
    "payer.before-hold-durable": "no such transfer",
    "payer.after-hold-durable": "unknown",
    "payer.before-deposit-sent": "unknown",
    "payer.after-deposit-sent": "unknown",
    "payer.before-commit-durable": "unknown",
    "payer.after-commit-durable": "committed",
    "payer.before-reply-sent": "committed",
    "payer.after-reply-sent": "committed",
    "payer.before-abort-durable": "unknown",
    "payer.after-abort-durable": "aborted",
}
"""What becomes of a transfer when its bank dies there and comes back."""


@pytest.mark.parametrize(("point", "state"), TO_A_STRANGER.items())
def test_a_bank_that_dies_there_never_sends_a_deposit_again(tmp_path, point, state):
    host, other = some_host(), some_host()
    is_refused = "abort" in point
    accounts = {} if is_refused else {10_001: 0}
    with zoo.bank(host=other, accounts=accounts) as stranger:
        payer = BankProcess(
            tmp_path, host, [host], BANK_NETWORK_PEERS=f'["{other}:{stranger.port}"]'
        )
        try:
            payer.start(**deadly(point))
            with payer.wire() as wire:
                source = open_account(wire, _START)
                wire.send(f"TR {source} 10001/{other} {_AMOUNT} it\r\n".encode())
                payer.bury()
            payer.start()
            told = payer.ask("TS it")
            assert state in told, told
            assert stranger.count("AD") == (state != "no such transfer" and is_sent_before(point))
            balance = int(payer.ask(f"AB {source}").removeprefix("AB "))
            report = until(payer.report, "the ledger fits")
        finally:
            payer.kill()
    is_gone = state == "committed"
    is_held = state == "unknown"
    assert report.total == _START - _AMOUNT * is_gone
    assert (report.held, report.open_transfers) == (_AMOUNT * is_held, is_held)
    assert balance == _START - _AMOUNT * (is_gone or is_held)
    assert stranger.count("AD") <= 1


def is_sent_before(point: str) -> bool:
    return point not in ("payer.after-hold-durable", "payer.before-deposit-sent")
