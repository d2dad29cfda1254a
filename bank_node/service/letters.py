"""`TQ`: what banks tell each other of requests and mandates, signed: said, heard, answered.

The rules are in `requests_abroad.py` and `mandates_abroad.py` of payments; here is who may speak,
and for whom.
"""

from collections.abc import Callable, Generator
from functools import partial
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace

from bank_node.banking.payments import mandates_abroad, requests_abroad
from bank_node.banking.payments.exchange import costing
from bank_node.banking.payments.hearing import FOR_NOW
from bank_node.banking.payments.mandates_abroad import (
    HearMandate,
    HearRuns,
    HearWish,
    TakeMandateAnswer,
    plan_of,
)
from bank_node.banking.payments.papers import (
    PAYEE,
    Abroad,
    Collect,
    Mandate,
    MandateAbroad,
    Request,
    mandate_key,
)
from bank_node.banking.payments.records import Person, read, request_of
from bank_node.banking.payments.requests_abroad import HearAsked, HearStands, TakeAnswer
from bank_node.errors import Reason, Refused
from bank_node.ledger.notes import Note, ReadNotes
from bank_node.ledger.operations import Operation
from bank_node.protocol.command import STORE
from bank_node.protocol.letter_words import Asked, Letter
from bank_node.protocol.letters import LetterAnswer, parse_letter_answer
from bank_node.protocol.mandate_letters import (
    MandateLetter,
    PresentLetter,
    RunsLetter,
    TermsLetter,
)
from bank_node.protocol.payment_values import Vpa, parse_vpa
from bank_node.protocol.request_letters import CollectLetter, CollectStands
from bank_node.security.dialogue import Dialogue
from bank_node.service.calls import Call, Handler
from bank_node.service.counter import Counter, in_steps
from bank_node.service.payees import Provider, Resolved, find_person, provider_for
from bank_node.service.steps import Step, Steps, Wait, find_note
from bank_node.values import AMOUNT_MAX, BankCode

ABOUT_REQUESTS = Dialogue("TQ", "request")

Hearing = Generator[Step, Any, None]
AnyRequest = TypeVar("AnyRequest", Collect, Mandate)


def require_signed(
    dialogue: Dialogue, counter: Counter, call: Call, bank: BankCode, word: str, signature: str
) -> None:
    """Raises Refused(NOT_SIGNED) unless another bank has said this, signed with its key."""
    own, key = call.bank.code, counter.around.key_of(bank)
    if bank == own or not dialogue.is_question(bank, own, word, signature, key):
        raise Refused(Reason.NOT_SIGNED, bank=bank)


def read_answer(
    own: str, bank: str, letter: Letter, reply: bytes, key: str | None
) -> LetterAnswer | None:
    """What another bank has answered; None unless it has signed that with its key."""
    answer = ABOUT_REQUESTS.read_answer(bank, own, letter.line, reply, key)
    return parse_letter_answer(answer) if answer else None


def letter_about(paper: Request, currency: str) -> Letter:
    """What this bank has to say about a paper."""
    if isinstance(paper, Mandate):
        return mandates_abroad.letter_of(paper, currency)
    return requests_abroad.letter_of(paper, currency)


def taking(paper: Request, serial: int, refused: Reason | None) -> Operation:
    """What takes in what the other bank has answered to a letter about a paper."""
    if isinstance(paper, Mandate):
        return TakeMandateAnswer(paper.id, paper.payer_account, serial, refused)
    return TakeAnswer(paper.id, serial, refused)


class Outcome(NamedTuple):
    """What another bank has answered to a letter in time, and the note of the paper after that."""

    note: Note | None = None
    refused: Reason | None = None


def tell(counter: Counter, call: Call, paper: Request) -> Generator[Step, Any, Outcome]:
    """Says what is owed about a paper; if nobody answers in time, it is said again later."""
    there = paper.there
    assert there is not None, "it is between banks"
    letter, own = letter_about(paper, counter.currency), call.bank.code
    line = ABOUT_REQUESTS.question(call.bank.identity, own, there.bank, letter.line)
    within_s = max(0.0, call.seconds_left())
    try:
        reply = yield Wait(partial(counter.around.ask, there.bank, line, within_s=within_s))
    except Refused:
        return Outcome()
    answer = read_answer(own, there.bank, letter, reply, counter.around.key_of(there.bank))
    if answer is None:
        return Outcome()
    note = yield taking(paper, letter.serial, answer.refused)
    is_for_now = answer.refused in FOR_NOW
    return Outcome(note, None if is_for_now else answer.refused)


def have_asked(counter: Counter, call: Call, note: Note) -> Generator[Step, Any, None]:
    """Has another bank ask its client for what a request says that was noted down as sent.

    One that does not answer in time is asked again later. Raises Refused for what it does not take.
    """
    asked = request_of(note)
    if asked.state == "sent":
        told = yield from tell(counter, call, asked)
        asked = request_of(told.note) if told.note else asked
    if asked.state == "refused" and asked.there:
        raise Refused(Reason(asked.there.why))


def find_request(kind: type[AnyRequest], key: str) -> Generator[Step, Any, AnyRequest | None]:
    """A request, however long ago it was over; None for one that there never was."""
    note = yield from find_note(key)
    return read(kind, note) if note else None


def find_payer(
    counter: Counter, call: Call, payer: Vpa
) -> Generator[Step, Any, tuple[BankCode, Resolved]]:
    """The other bank that a payer is a client of, and what it says of it. Raises Refused."""
    provider = provider_for(counter, call, payer)
    assert provider is not None, "an address of this bank has another way"
    known = counter.around.remembered(provider.bank, str(payer))
    if known is not None:
        return provider.bank, known
    try:
        told = yield Wait(partial(counter.around.resolve, provider.bank, str(payer)))
    except Refused as refused:
        is_down = refused.reason is Reason.PROVIDER_DOWN
        raise (Refused(Reason.PAYER_BANK_DOWN) if is_down else refused) from None
    return provider.bank, told


def hear(counter: Counter, call: Call) -> Steps:
    """`TQ`."""
    bank, letter, signature = call.arguments
    require_signed(ABOUT_REQUESTS, counter, call, bank, letter.line, signature)
    refused = None
    try:
        yield from _HEARD[type(letter)](counter, bank, letter)
    except Refused as why:
        if why.reason in STORE:
            raise
        refused = why.reason
    answer = LetterAnswer(refused).line
    return ABOUT_REQUESTS.answer(call.bank.identity, call.bank.code, bank, letter.line, answer)


def _hear_asked(counter: Counter, bank: BankCode, letter: CollectLetter) -> Hearing:
    """Somebody of another bank asks for money, or does not any more."""
    asked = letter.asked
    person = yield from _asked_person(counter, bank, asked)
    there = _exchanged(counter, Abroad(bank, PAYEE, category=asked.category), asked)
    now = counter.terms()
    wanted = Collect(
        letter.id, asked.payee, asked.account, asked.name, asked.payer, person.account,
        asked.amount, asked.reference, asked.note, now.now.us, asked.expires_us, abroad=there,
    )  # fmt: skip
    if there.currency:
        costs = costing(asked.amount, there.rate)
        if costs > AMOUNT_MAX:
            raise Refused(Reason.PAYMENT_AMOUNT)
        wanted = replace(wanted, amount=costs)
    yield HearAsked(wanted, letter.word, now)


def _hear_stands(_counter: Counter, bank: BankCode, letter: CollectStands) -> Hearing:
    """The bank of a payer says what became of a request."""
    yield HearStands(letter, bank)


def _hear_mandate(counter: Counter, bank: BankCode, letter: MandateLetter) -> Hearing:
    """Somebody of another bank asks for a mandate, or has revoked it."""
    asked, now = letter.asked, counter.terms()
    person = yield from _asked_person(counter, bank, asked)
    if asked.currency != counter.currency:
        raise Refused(Reason.OTHER_CURRENCY)
    plan = plan_of(letter)
    wanted = Mandate(
        letter.id, asked.payee, asked.account, asked.name, asked.payer, person.account, plan, plan,
        asked.reference, asked.note, now.now.us, asked.expires_us,
        abroad=MandateAbroad(bank, PAYEE, category=asked.category),
    )  # fmt: skip
    yield HearMandate(wanted, letter.word, letter.serial, now)


def _hear_wish(counter: Counter, bank: BankCode, letter: TermsLetter | PresentLetter) -> Hearing:
    """Somebody of another bank wants something of a mandate."""
    (note,) = yield ReadNotes((mandate_key(letter.id),))
    if note is None:
        raise Refused(Reason.NO_SUCH_REQUEST)
    yield HearWish(letter, bank, read(Mandate, note).payer_account, counter.terms())


def _hear_runs(_counter: Counter, bank: BankCode, letter: RunsLetter) -> Hearing:
    """The bank of a payer says how a mandate stands."""
    yield HearRuns(letter, bank)


_HEARD: dict[type, Callable[[Counter, BankCode, Any], Hearing]] = {
    CollectLetter: _hear_asked,
    CollectStands: _hear_stands,
    MandateLetter: _hear_mandate,
    TermsLetter: _hear_wish,
    PresentLetter: _hear_wish,
    RunsLetter: _hear_runs,
}


def _asked_person(counter: Counter, bank: BankCode, asked: Asked) -> Generator[Step, Any, Person]:
    """Whom a bank asks, if it may ask for that payee. Raises Refused."""
    _speaks_for(counter, bank, asked.payee)
    payer = parse_vpa(asked.payer.encode())
    person = (yield from find_person(payer)) if payer.handle == counter.handle else None
    if person is None:
        raise Refused(Reason.NO_SUCH_ADDRESS)
    return person


def _speaks_for(counter: Counter, bank: BankCode, vpa: str) -> None:
    """Raises Refused unless an address is of the bank that speaks, beyond doubt."""
    provider: Provider | None = counter.around.provider_at(bank)
    handle = parse_vpa(vpa.encode()).handle
    if provider is None:
        raise Refused(Reason.NO_SUCH_PROVIDER, handle=handle)
    if provider.handle != handle:
        raise Refused(Reason.VPA_FOREIGN, handle=provider.handle)
    # Of two banks with handles that look alike nobody can tell which one is meant.
    if counter.around.provider_of(handle) != provider:
        raise Refused(Reason.NO_SUCH_PROVIDER, handle=handle)


def _exchanged(counter: Counter, there: Abroad, asked: Asked) -> Abroad:
    """With what it is at the other bank, if that keeps another currency."""
    if asked.currency == counter.currency:
        return there
    rate = counter.rates.get(asked.currency, "")
    if not rate:
        raise Refused(Reason.OTHER_CURRENCY)
    return replace(there, amount=asked.amount, currency=asked.currency, rate=rate)


LETTER_HANDLERS: dict[str, Handler] = {"TQ": Handler(later=in_steps(hear, is_secret=False))}
