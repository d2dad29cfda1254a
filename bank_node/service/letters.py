"""`TQ`: what banks tell each other of requests for money, signed; how it is said, heard, answered.

The rules are in `banking/payments/asking.py`; here is who may speak, and for whom.
"""

from collections.abc import Generator
from functools import partial
from typing import Any

from msgspec.structs import replace

from bank_node.banking.payments.asking import HearAsked, HearStands, TakeAnswer, letter_of
from bank_node.banking.payments.exchange import costing
from bank_node.banking.payments.papers import PAYEE, Abroad, Collect
from bank_node.banking.payments.records import read
from bank_node.errors import Reason, Refused
from bank_node.protocol.command import STORE
from bank_node.protocol.payment_values import parse_vpa
from bank_node.protocol.request_letters import (
    Asked,
    CollectLetter,
    CollectStands,
    Letter,
    LetterAnswer,
    answer_line,
    parse_letter_answer,
)
from bank_node.security.canonical import canonical
from bank_node.security.identity import Identity, is_signed
from bank_node.service.calls import Call, Handler
from bank_node.service.counter import Counter, in_steps
from bank_node.service.payees import Provider, find_person
from bank_node.service.steps import Step, Steps, Wait
from bank_node.values import AMOUNT_MAX, BankCode


def letter_bytes(sender: str, receiver: str, line: str) -> bytes:
    """What a bank signs that says something about a request."""
    return canonical("request", sender, receiver, line)


def answer_bytes(sender: str, receiver: str, line: str, answer: str) -> bytes:
    """What a bank signs that has heard it: its answer, and what it is the answer to."""
    return canonical("answer about a request", sender, receiver, line, answer)


def signed_line(identity: Identity, own: str, bank: str, letter: Letter) -> bytes:
    """A letter as it goes to another bank."""
    signature = identity.sign(letter_bytes(own, bank, letter.line))
    return f"TQ {own} {letter.line} {signature}".encode()


def read_answer(
    own: str, bank: str, letter: Letter, reply: bytes, key: str | None
) -> LetterAnswer | None:
    """What another bank has answered; None unless it has signed that with its key."""
    words = reply.decode("ascii", "replace").split()
    if len(words) != 3 or words[0] != "TQ" or not key:
        return None
    if not is_signed(answer_bytes(bank, own, letter.line, words[1]), words[2], key):
        return None
    return parse_letter_answer(words[1])


def told(counter: Counter, call: Call, collect: Collect) -> Generator[Step, Any, Collect]:
    """A request after the other bank was told of it, if it answers in time."""
    there = collect.there
    assert there is not None, "it is between banks"
    letter, own = letter_of(collect, counter.currency), call.bank.code
    line = signed_line(call.bank.identity, own, there.bank, letter)
    within_s = max(0.0, call.seconds_left())
    try:
        reply = yield Wait(partial(counter.around.ask, there.bank, line, within_s=within_s))
    except Refused:
        return collect
    answer = read_answer(own, there.bank, letter, reply, counter.around.key_of(there.bank))
    if answer is None:
        return collect
    return read(Collect, (yield TakeAnswer(collect.id, letter.serial, answer.refused)))


def hear(counter: Counter, call: Call) -> Steps:
    """`TQ`."""
    bank, letter, signature = call.arguments
    key = counter.around.key_of(bank)
    signed = letter_bytes(bank, call.bank.code, letter.line)
    if bank == call.bank.code or not key or not is_signed(signed, signature, key):
        raise Refused(Reason.NOT_SIGNED, bank=bank)
    refused = None
    try:
        if isinstance(letter, CollectLetter):
            yield from _hear_asked(counter, bank, letter)
        else:
            assert isinstance(letter, CollectStands), letter
            yield HearStands(letter, bank)
    except Refused as why:
        if why.reason in STORE:
            raise
        refused = why.reason
    answer = answer_line(refused)
    said = answer_bytes(call.bank.code, bank, letter.line, answer)
    return f"TQ {answer} {call.bank.identity.sign(said)}"


def _hear_asked(
    counter: Counter, bank: BankCode, letter: CollectLetter
) -> Generator[Step, Any, None]:
    """Takes in that somebody of another bank asks for money, or does not any more."""
    asked = letter.asked
    _speaks_for(counter, bank, asked.payee)
    payer = parse_vpa(asked.payer.encode())
    person = (yield from find_person(payer)) if payer.handle == counter.handle else None
    if person is None:
        raise Refused(Reason.NO_SUCH_ADDRESS)
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
