"""A payee's bank that lost its promises: what was paid arrives all the same, and only once."""

from typing import Any

import pytest
from transfer_sim import World

from bank_node.banking.transfers import flights
from bank_node.banking.transfers.engine import Engine
from bank_node.banking.transfers.flights import Flight, Recollection, Reply, Telling
from bank_node.errors import Reason
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.memory_store import MemoryStore
from bank_node.ledger.operations import ReadTotal
from bank_node.ledger.transfer_operations import ReadTransfer, Tell
from bank_node.ledger.transfers import Message, Phase, Role, Transfer
from bank_node.protocol.transfer_messages import (
    ABORTED,
    COMMITTED,
    PREPARED,
    TransferAnswer,
    Word,
)
from bank_node.service.transfer_rows import progress_row
from bank_node.values import AMOUNT_MAX

FORGETFUL = "10.0.0.1"
OTHER = "10.0.0.9"


class Forgetting(World):
    """One bank takes money only, and from time to time it goes back to an old copy of its ledger.

    What it pays itself would be lost with its ledger, and nobody could make up for that.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.forgetful = self.banks[FORGETFUL]
        self.forgetful.clients, self._payees = [], self.forgetful.clients
        self.floor = self.forgetful.store.head.height

    def order(self) -> None:
        self.forgetful.is_up, was_up = False, self.forgetful.is_up
        self.forgetful.clients = self._payees
        super().order()
        self.forgetful.is_up = was_up

    def forget(self, *, all_of_it: bool = False) -> None:
        bank = self.forgetful
        if bank.is_up:
            bank.crash()
        blocks = list(bank.store.blocks())
        kept = self.floor if all_of_it else self.draws.randint(self.floor, len(blocks))
        bank.store = MemoryStore()
        bank.store.take(blocks[:kept])
        bank.start()

    def check(self) -> None:
        """While promises are lost, the banks do not agree."""

    def remind(self) -> list[Flight]:
        told: list[Flight] = []
        for code, bank in self.banks.items():
            if code != FORGETFUL:
                ended = [
                    record
                    for block in bank.store.blocks()
                    for record in self._ended(block)
                    if record.bank == settlement_account(FORGETFUL)
                ]
                bank.engine.decided.remind(ended, told.append)
                bank.carry_out()
        return told

    def _ended(self, block: Any) -> list[Transfer]:
        from bank_node.ledger.lookback import Line

        lines = (
            Line(number, block.entry(number), block, payload)
            for number, payload in block.payloads().items()
        )
        records = (line.transfer for line in lines)
        return [r for r in records if r and (r.role, r.phase) == (Role.PAYER, Phase.ENDED)]


@pytest.mark.parametrize("seed", range(12))
def test_a_bank_that_goes_back_to_old_copies_has_everything_in_the_end_and_once(seed):
    world = Forgetting(seed)
    clock, draws = world.clock, world.draws
    moment = 0.0
    while moment < 40:
        moment += draws.expovariate(4)
        clock.after(moment, world.order)
    moment = 0.0
    while moment < 40:
        moment += draws.expovariate(0.2)
        clock.after(moment, world.mischief)
        clock.after(moment + draws.random(), world.forget)
    world.run(40)
    world.heal()
    world.run(60)
    world.forget(all_of_it=True)
    told = world.remind()
    world.run(60)
    assert all(not flight.trouble for flight in told), told
    world.assert_all_is_resolved()
    in_the_world = sum(bank.store.read(ReadTotal()) for bank in world.banks.values())
    to_strangers = sum(world.position(code, "10.0.9.9") for code in world.banks)
    assert in_the_world + to_strangers == world.money
    assert any(flight.renewals for flight in told), "something was lost"


# One flight, step by step


def committed(phase: Phase = Phase.COMMITTED) -> Transfer:
    bank = settlement_account(OTHER)
    return Transfer("t1", Role.PAYER, phase, bank, 10001, 20002, 30, entry=7)


def answer(said: str, reason: Reason | None = None) -> Reply:
    return Reply(TransferAnswer(said, reason), evidence=b"signed")


UNKNOWN = answer("refused", Reason.NO_SUCH_TRANSFER)


class Bench:
    """An engine with one transfer, whose other bank answers what a test says."""

    def __init__(self, *tellings: Telling, gone: Reason = Reason.REQUEST_OVER) -> None:
        self.now = 0.0
        recollection = Recollection(
            lambda record: ReadTransfer(record.key),
            lambda _: tellings or (Telling(),),
            lambda reason: reason is gone,
        )
        self.engine = Engine(lambda _: AMOUNT_MAX, recollection)
        self.engine.recover([committed()], self.now)
        self.engine.tick(self.now)

    @property
    def flight(self) -> Flight:
        return self.engine.flights["t1"]

    def said(self) -> str:
        """What has to be said next; the ledger answers at once."""
        while self.engine.operations:
            ((key, operation),) = self.engine.operations
            self.engine.operations = []
            self.engine.booked(key, operation, committed(), self.now)
        if not self.engine.messages:
            return ""
        ((_, _, self.message),) = self.engine.messages
        self.engine.messages = []
        return self.message.text

    def answers(self, reply: Reply) -> str:
        self.engine.answered("t1", self.message, reply, self.now)
        return self.said()

    def later(self) -> str:
        self.now += 20
        self.engine.tick(self.now)
        return self.said()


def test_what_was_lost_is_promised_again_in_the_words_of_before_and_then_kept():
    bench = Bench(Telling("memo", 12))
    assert bench.said() == "C,t1"
    assert bench.answers(UNKNOWN) == "P,t1,10001,20002,12,memo"
    assert bench.answers(answer(PREPARED)) == "C,t1"
    bench.engine.answered("t1", bench.message, answer(COMMITTED), 0)
    ((_, operation),) = bench.engine.operations
    assert operation == Tell(Message.ACKNOWLEDGE, "t1", evidence=b"signed")


def test_what_it_was_for_is_left_out_only_if_that_is_gone():
    words = (Telling("a~b~~~collect:X"), Telling("a~b~~"))
    bench = Bench(*words)
    bench.said()
    bench.answers(UNKNOWN)
    told = bench.answers(answer("refused", Reason.REQUEST_OVER))
    assert told == "P,t1,10001,20002,30,a~b~~"
    bench = Bench(*words)
    bench.said()
    bench.answers(UNKNOWN)
    assert bench.answers(answer("refused", Reason.PAYEE_FROZEN)) == ""
    assert "payee_frozen" in bench.flight.trouble
    assert bench.later() == "C,t1"
    assert bench.answers(UNKNOWN) == "P,t1,10001,20002,30,a~b~~~collect:X", "asked from the start"


@pytest.mark.parametrize(
    "reason", [Reason.NO_SUCH_PAYEE, Reason.NO_SUCH_ADDRESS, Reason.PAYEE_CHANGED]
)
def test_a_payee_who_is_gone_is_not_asked_for_until_a_stranger_has_the_number(reason):
    bench = Bench()
    bench.said()
    bench.answers(UNKNOWN)
    assert bench.answers(answer("refused", reason)) == ""
    assert reason.value in bench.flight.trouble
    for _ in range(3):
        assert bench.later() == "C,t1", "the right ledger may come back"
        assert bench.answers(UNKNOWN) == ""
    bench.later()
    bench.engine.answered("t1", bench.message, answer(COMMITTED), bench.now)
    assert bench.engine.operations, "and then it ends"


def test_a_bank_that_promises_and_forgets_in_a_circle_is_asked_ever_more_seldom():
    bench = Bench()
    assert bench.said() == "C,t1"
    assert bench.answers(UNKNOWN).startswith("P,")
    assert bench.answers(answer(PREPARED)) == "C,t1"
    assert bench.answers(UNKNOWN) == "", "not at once"
    for _ in range(3):
        assert bench.later().startswith("P,")
        assert bench.answers(answer(PREPARED)) == "C,t1"
        assert bench.answers(UNKNOWN) == ""
    assert bench.flight.next_at - bench.now >= 2


def test_a_lost_line_about_a_lost_promise_is_said_again():
    bench = Bench()
    bench.said()
    assert bench.answers(UNKNOWN).startswith("P,")
    assert bench.answers(Reply(None)) == ""
    assert bench.later().startswith("P,"), "no answer gives nothing up: the payer has paid"


@pytest.mark.parametrize("reason", [Reason.MESSAGES_REFUSED, Reason.ANSWER_NOT_SIGNED])
def test_of_what_was_refused_or_not_signed_operators_hear_until_it_is(reason):
    bench = Bench()
    bench.said()
    bench.answers(Reply(None, reason=reason))
    told = progress_row(bench.flight, bench.flight.record, bench.now)["trouble"]
    assert OTHER in told
    bench.later()
    assert bench.answers(Reply(None)) == ""
    assert progress_row(bench.flight, bench.flight.record, bench.now)["trouble"] == "", "it is away"


def test_what_is_confirmed_already_is_asked_for_without_a_word_to_the_ledger():
    engine, told = Engine(lambda _: AMOUNT_MAX), []
    engine.decided.remind([committed(Phase.ENDED)], told.append)
    ((_, _, message),) = engine.messages
    assert message.word is Word.COMMIT
    engine.answered("t1", message, answer(COMMITTED), 0)
    assert [(f.renewals, f.trouble) for f in told] == [(0, "")]
    assert (engine.operations, engine.flights) == ([], {})


@pytest.mark.parametrize(("said", "trouble"), [(COMMITTED, ""), (ABORTED, "does not know")])
def test_a_bank_is_asked_whether_it_still_knows_what_it_has_paid(said, trouble):
    engine, told = Engine(lambda _: AMOUNT_MAX), []
    came = committed(Phase.ENDED)._replace(key=f"{OTHER}/t1", role=Role.PAYEE)
    engine.decided.remind([came], told.append)
    engine.tick(0)
    assert engine.has_room(OTHER), "it is no promise"
    ((_, _, message),) = engine.messages
    assert message.text == "Q,t1"
    engine.answered(came.key, message, answer(said), 0)
    engine.tick(20)
    ((flight,), flights) = told, engine.flights
    assert (trouble in flight.trouble, bool(flight.trouble), flights) == (True, bool(trouble), {})
    assert not engine.operations, "nothing is booked, whatever it says"


def test_a_reminder_that_nobody_answers_ends_all_the_same():
    engine, told, now = Engine(lambda _: AMOUNT_MAX), [], 0.0
    engine.decided.remind([committed(Phase.ENDED)], told.append)
    while engine.messages:
        ((_, _, message),) = engine.messages
        engine.messages = []
        engine.answered("t1", message, Reply(None), now)
        now += 20
        engine.tick(now)
    assert [flight.trouble for flight in told] == [f"{OTHER} does not confirm it"]
    assert engine.flights == {}
    assert flights.NOTHING_TO_RECALL.tellings(Reason.NO_SUCH_TRANSFER) == (Telling(),)


@pytest.mark.parametrize("role", [Role.PAYER, Role.PAYEE])
def test_a_bank_that_cannot_say_now_is_asked_again_and_has_denied_nothing(role):
    engine, told = Engine(lambda _: AMOUNT_MAX), []
    key = f"{OTHER}/t1" if role is Role.PAYEE else "t1"
    ended = committed(Phase.ENDED)._replace(key=key, role=role)
    engine.decided.remind([ended], told.append)
    for now, reply in enumerate((Reason.OUTCOME_UNKNOWN, Reason.NOT_LEADER, None)):
        ((_, _, message),) = engine.messages
        engine.messages = []
        said = answer("refused", reply) if reply else answer(COMMITTED)
        engine.answered(key, message, said, 20 * now)
        engine.tick(20 * now + 19)
    assert [(flight.trouble, flight.renewals) for flight in told] == [("", 0)]


def test_a_promise_that_cannot_be_made_again_now_is_asked_for_again_without_an_alarm():
    bench = Bench()
    bench.said()
    assert bench.answers(UNKNOWN).startswith("P,")
    assert bench.answers(answer("refused", Reason.STORE_FULL)) == ""
    assert bench.flight.trouble == ""
    assert bench.later().startswith("P,")
    assert bench.answers(answer(PREPARED)) == "C,t1"


def test_who_is_reminded_later_is_not_asked_for_a_payee_who_was_gone_before():
    engine, told = Engine(lambda _: AMOUNT_MAX), []

    def remind(*replies: Reply) -> list[str]:
        """What is said while the other bank answers like this."""
        engine.decided.remind([committed(Phase.ENDED)], told.append)
        said = []
        for now, reply in enumerate(replies):
            if engine.operations:
                ((key, operation),) = engine.operations
                engine.operations = []
                engine.booked(key, operation, committed(Phase.ENDED), now)
            ((_, _, message),) = engine.messages
            engine.messages = []
            said.append(message.word.value)
            engine.answered("t1", message, reply, now)
        engine.tick(1000)
        assert engine.flights == {}
        return said

    gone = answer("refused", Reason.NO_SUCH_PAYEE)
    assert remind(UNKNOWN, gone) == ["C", "P"]
    assert remind(UNKNOWN) == ["C"], "the number may be a stranger's by now"
    assert all("lost its promise" in flight.trouble for flight in told)
    assert remind(answer(COMMITTED)) == ["C"], "the right ledger may be back"
    assert told[-1].trouble == ""
    engine.decided.insist(OTHER, 0)
    assert remind(UNKNOWN, answer(PREPARED), answer(COMMITTED)) == ["C", "P", "C"]
