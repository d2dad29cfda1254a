"""What is told of transfers as it happens."""

import pytest

from bank_node.banking.transfers.caps import Caps
from bank_node.banking.transfers.chronicle import Chronicle
from bank_node.banking.transfers.flights import Flight, Order, Wait
from bank_node.errors import Reason
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.transfers import Phase, Role, Transfer
from bank_node.telemetry.events import Events
from bank_node.values import AccountAddress, BankCode

BANK = BankCode("10.0.0.7")


def record(role=Role.PAYER, phase=Phase.RESERVED, entry=1, **more):
    return Transfer("t", role, phase, settlement_account(BANK), 10_001, 10_002, 5, entry=entry,
                    **more)  # fmt: skip


@pytest.fixture
def events():
    return Events(lambda: 7)


@pytest.fixture
def chronicle(events):
    return Chronicle(events, lambda: 7)


def told(chronicle):
    return [stage.what for _, stage in chronicle.stages.read(0, 1000).items]


def kinds(events):
    return [event.kind for _, event in events.ring.read(0, 100).items]


def test_a_state_is_told_once_however_often_it_is_answered(chronicle):
    reserved, posted = record(entry=4), record(phase=Phase.COMMITTED, entry=5)
    chronicle.reached([reserved, Reason.TOO_BUSY, 17])
    chronicle.reached([reserved, posted, posted])
    assert told(chronicle) == [reserved, posted]


def test_a_wish_that_the_ledger_knows_already_is_no_news(events):
    now_us = [7]
    chronicle = Chronicle(events, lambda: now_us[0])
    order = Order(
        id="t", payer=10_001, payee=AccountAddress(10_002, BANK), amount=5,
    )  # fmt: skip
    chronicle.received(order)
    chronicle.reached([record(entry=4)])
    chronicle.received(order)
    chronicle.reached([record(entry=4)])
    chronicle.tell()
    assert told(chronicle) == [order, record(entry=4)]
    chronicle.received(order)
    now_us[0] += 1_000_000
    chronicle.tell()
    assert told(chronicle)[2:] == [order], "nothing was said to it yet"


def test_many_doubts_at_once_are_one_event(chronicle, events):
    for _ in range(500):
        chronicle.doubted(record(role=Role.CLASSIC, phase=Phase.SENT))
    assert kinds(events) == []
    chronicle.tell()
    chronicle.tell()
    assert kinds(events) == ["TransferInDoubt"]
    (event,) = (event for _, event in events.ring.read(0, 9).items)
    assert "499 others" in event.text
    assert len(told(chronicle)) == 500


def test_doubts_about_two_banks_are_told_of_each(chronicle, events):
    here = record(role=Role.CLASSIC, phase=Phase.SENT)
    there = here._replace(bank=settlement_account(BankCode("10.0.0.8")))
    for each in (here, there, here):
        chronicle.doubted(each)
    chronicle.tell()
    told_of = [event.fields for _, event in events.ring.read(0, 9).items]
    assert [(each["bank"], each["count"]) for each in told_of] == [(BANK, 2), ("10.0.0.8", 1)]


def test_what_an_earlier_run_left_is_one_event_and_nothing_is_none(chronicle, events):
    chronicle.recovered([])
    assert kinds(events) == []
    chronicle.recovered([record(), record(role=Role.CLASSIC, phase=Phase.SENT)])
    (event,) = (event for _, event in events.ring.read(0, 9).items)
    assert (event.level, event.fields) == ("warning", {"count": 2, "doubtful": 1})


def test_a_note_with_an_escape_sequence_is_told_without_it(chronicle, events):
    chronicle.decided(record(phase=Phase.ABORTED, note="\x1b[2Jboo"))
    (event,) = (event for _, event in events.ring.read(0, 9).items)
    assert event.text.isprintable()
    assert event.fields["note"].isprintable()


@pytest.mark.parametrize(
    ("role", "phase", "wait", "attempts", "in_doubt"),
    [
        (Role.CLASSIC, Phase.SENT, Wait.BANK, 0, False),
        (Role.CLASSIC, Phase.SENT, Wait.NOTHING, 0, True),
        (Role.CLASSIC, Phase.SENT, Wait.LEDGER, 0, False),
        (Role.PAYEE, Phase.RESERVED, Wait.NOTHING, 0, False),
        (Role.PAYEE, Phase.RESERVED, Wait.BANK, 0, False),
        (Role.PAYEE, Phase.RESERVED, Wait.NOTHING, 1, True),
        (Role.PAYEE, Phase.RESERVED, Wait.BANK, 1, True),
        (Role.PAYEE, Phase.RESERVED, Wait.LEDGER, 1, False),
        (Role.PAYER, Phase.RESERVED, Wait.NOTHING, 3, False),
        (Role.PAYER, Phase.COMMITTED, Wait.NOTHING, 3, False),
    ],
)
def test_in_doubt_is_what_ends_by_a_word_that_does_not_come(role, phase, wait, attempts, in_doubt):
    flight = Flight("t", BANK, None, record(role, phase), wait=wait, attempts=attempts)
    assert flight.is_in_doubt is in_doubt


def test_what_has_no_record_yet_is_not_in_doubt():
    order = Order("t", 10_001, AccountAddress(10_002, BANK), 5)
    assert not Flight("t", BANK, order, attempts=5).is_in_doubt


def test_a_bank_has_its_own_cap_or_the_general_one():
    caps = Caps(500, ["10.0.0.7=20", "10.0.0.8=0"])
    assert [caps.of(bank) for bank in ("10.0.0.7", "10.0.0.8", "10.0.0.9")] == [20, 0, 500]
    caps.adopt(600, [])
    assert caps.of(BANK) == 600


@pytest.mark.parametrize("is_reminder", [False, True])
def test_what_a_bank_is_reminded_of_is_told_at_the_end_of_all_reminders_alone(
    chronicle, events, is_reminder
):
    noticed = []
    chronicle.seems_lost = noticed.append
    flight = Flight("t", BANK, None, record(phase=Phase.COMMITTED), is_lost=True, attempts=1)
    flight.reminder = noticed.append if is_reminder else None
    chronicle.answered(flight, "", was_lost=False, renewals=0)
    flight.is_lost, flight.renewals, flight.trouble = False, 1, "it is odd"
    chronicle.answered(flight, "", was_lost=True, renewals=0)
    chronicle.tell()
    wanted = [] if is_reminder else ["TransferContradicted", "PromiseLost", "PromiseRenewed"]
    assert (kinds(events), noticed) == (wanted, [] if is_reminder else [BANK])
