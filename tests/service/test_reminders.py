"""Reminding a bank of what it was paid: how much of it, how often, and when that ends."""

from types import SimpleNamespace

import pytest
from support.polling import until

from bank_node.banking.transfers.flights import Flight
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.lookback import Found
from bank_node.ledger.transfers import Phase, Role, Transfer
from bank_node.service import reminders
from bank_node.service.reminders import Reminders
from bank_node.telemetry.clock import Clock
from bank_node.telemetry.events import Events

BANK = "10.0.0.2"
HOUR_NS = 3_600_000_000_000


class Journal:
    """Transfers that have ended, the latest first; the bank answers as a test says."""

    def __init__(self, monkeypatch, count: int, *others: Transfer) -> None:
        self.records = [*others, *(paid(n) for n in range(count))][::-1]
        self.now_ns, self.leads = 0, True
        self.asked: list[str] = []
        self.insisted: list[str] = []
        self.answer = lambda flight: None
        self.events = Events(lambda: 0)
        monkeypatch.setattr(reminders.tracing, "ended", self.page)
        clock = Clock(lambda: 0, lambda: self.now_ns)
        self.reminders = Reminders(None, self, lambda: self.leads, self.events, clock)

    def page(self, _store, before, count):
        first = before or 0
        lines = [SimpleNamespace(transfer=r) for r in self.records[first : first + count]]
        last = first + len(lines)
        return Found(lines, last if last < len(self.records) else None)

    def remind(self, ended, told) -> None:
        for record in ended:
            self.asked.append(record.key)
            flight = Flight(record.key, BANK, None, record)
            if self.answer(flight) != "nothing":
                told(flight)

    def insist(self, bank) -> None:
        self.insisted.append(bank)

    def ended(self) -> int:
        return len([e for _, e in self.events.ring.read(0, 99).items if e.kind == "RemindersEnded"])

    def has_ended(self, times: int = 1) -> bool:
        return self.ended() == times and not self.reminders.progress.running


def paid(number: int, role=Role.PAYER, phase=Phase.ENDED, bank=BANK) -> Transfer:
    return Transfer(f"t{number}", role, phase, settlement_account(bank), 10001, 20002, 1)


@pytest.fixture
def journal(monkeypatch):
    made: list[Journal] = []

    def make(count: int, *others: Transfer) -> Journal:
        made.append(Journal(monkeypatch, count, *others))
        return made[-1]

    yield make
    for each in made:
        each.reminders.stop(10)


def test_the_bank_is_asked_about_all_that_it_was_paid_and_confirmed_and_nothing_else(journal):
    others = paid(1, role=Role.CLASSIC), paid(2, phase=Phase.ABORTED), paid(3, bank="10.0.0.3")
    it = journal(600, *others)
    it.reminders.start(BANK)
    until(it.has_ended, "all are asked about", 30)
    assert it.asked == [f"t{n}" for n in range(600)][::-1]
    assert it.reminders.progress[2:] == (600, 600, 0, 0, 0, "")
    assert it.insisted == [BANK], "an operator's word counts more than a refusal"


def test_enough_that_is_there_in_a_row_is_all(journal, monkeypatch):
    monkeypatch.setattr(reminders, "_ENOUGH", 300)
    it = journal(2000)

    def lost_the_last_hundred(flight):
        flight.renewals = int(flight.key[1:]) >= 1900

    it.answer = lost_the_last_hundred
    it.reminders.noticed(BANK)
    until(it.has_ended, "enough are asked about", 30)
    progress = it.reminders.progress
    assert progress.renewed == 100
    assert 300 <= progress.kept < 700
    assert it.insisted == []


def test_a_bank_that_does_not_answer_is_not_asked_about_the_rest(journal):
    it = journal(2000)

    def silent(flight):
        flight.attempts, flight.trouble = 6, "10.0.0.2 does not confirm it"

    it.answer = silent
    it.reminders.start(BANK)
    until(it.has_ended, "it is given up", 30)
    progress = it.reminders.progress
    assert progress.asked == progress.failed == 256
    assert progress.trouble.endswith("does not confirm it")


def test_without_an_operators_word_a_bank_has_its_turn_once_an_hour_and_with_a_bound(
    journal, monkeypatch
):
    monkeypatch.setattr(reminders, "_UNASKED_MAX", 500)
    it = journal(2000)
    it.reminders.noticed(BANK)
    it.reminders.noticed(BANK)
    until(it.has_ended, "the bound is reached", 30)
    assert it.reminders.progress.asked == 512
    it.now_ns = HOUR_NS - 1
    it.reminders.noticed(BANK)
    assert not it.reminders.progress.running
    it.reminders.start(BANK)
    until(lambda: it.has_ended(2), "the operator's has no bound", 30)
    assert it.reminders.progress.asked == 2000
    it.now_ns = HOUR_NS
    it.reminders.noticed(BANK)
    until(lambda: it.has_ended(3), "an hour later", 30)


def test_what_a_bank_has_paid_and_does_not_know_is_told_apart_from_what_has_failed(journal):
    came = paid(1, role=Role.PAYEE)._replace(key=f"{BANK}/t1")
    it = journal(1, came)

    def denies(flight):
        flight.trouble = "it says no"

    it.answer = denies
    it.reminders.start(BANK)
    until(it.has_ended, "both are asked about", 30)
    assert it.asked == ["t0", f"{BANK}/t1"]
    assert it.reminders.progress[2:] == (2, 0, 0, 1, 1, f"{BANK}/t1: it says no")
    (event,) = [e for _, e in it.events.ring.read(0, 99).items if e.kind == "RemindersEnded"]
    assert event.level == "error"


def test_what_an_operators_word_brings_to_light_does_not_begin_it_once_more(journal):
    it = journal(300)
    it.answer = lambda flight: it.reminders.noticed(BANK)
    it.reminders.start(BANK)
    until(it.has_ended, "all are asked about", 30)
    it.reminders.noticed("10.0.0.9")
    until(lambda: it.has_ended(2), "the next bank has its turn", 30)
    assert it.reminders.progress.bank == "10.0.0.9"


def test_it_can_be_ended_while_a_bank_says_nothing(journal):
    it = journal(10)
    it.answer = lambda flight: "nothing"
    it.reminders.start(BANK)
    until(lambda: len(it.asked) == 10, "it has begun", 30)
    assert it.reminders.progress.running
    it.reminders.cancel()
    until(it.has_ended, "it has ended", 30)


def test_ending_it_ends_also_what_waits_for_it_and_not_what_is_wanted_later(journal):
    it = journal(10, paid(7, bank="10.0.0.9"))
    it.answer = lambda flight: "nothing"
    it.reminders.start(BANK)
    it.reminders.start("10.0.0.9")
    until(lambda: len(it.asked) == 10, "it has begun", 30)
    it.reminders.cancel()
    until(it.has_ended, "both have ended", 30)
    it.answer = lambda flight: None
    it.reminders.cancel()
    it.reminders.start(BANK)
    until(lambda: it.has_ended(2), "it was asked again", 30)
    assert it.reminders.progress[:4] == (BANK, False, 10, 10)
    assert len(it.asked) == 20, "the other bank was never asked"


def test_it_is_under_way_until_the_last_bank_had_its_turn(journal):
    it = journal(1)
    it.reminders.start(BANK)
    it.reminders.start("10.0.0.9")
    until(lambda: not it.reminders.progress.running, "all have ended", 30)
    assert it.ended() == 2
    assert it.reminders.progress.bank == "10.0.0.9"


def test_a_node_that_does_not_lead_reminds_nobody(journal):
    it = journal(10)
    it.leads = False
    it.reminders.noticed(BANK)
    it.reminders.stop(30)
    assert it.asked == []
