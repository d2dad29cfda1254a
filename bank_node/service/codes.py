"""Codes to scan: what a merchant's says, signed by the bank, and whether one may be paid."""

from bank_node.banking.payments.records import Person, person_key, read
from bank_node.banking.payments.uri import (
    MODE_DYNAMIC_SECURE_QR,
    MODE_SECURE_QR,
    NOT_A_MERCHANT,
    PayUri,
    UriRefused,
    build,
)
from bank_node.errors import Reason, Refused
from bank_node.ledger.notes import ReadNotes
from bank_node.protocol.payment_values import Vpa
from bank_node.security.signing import is_signed_code
from bank_node.service.calls import Call
from bank_node.service.counter import Counter
from bank_node.service.payees import Target
from bank_node.service.steps import Steps

_US = 1_000_000


def check_code(counter: Counter, uri: PayUri, target: Target, amount: int) -> None:
    """Proves that an amount of the payee's currency may be paid as a code says.

    Raises UriRefused.
    """
    if uri.expires_us is not None and counter.clock.now_us() >= uri.expires_us:
        raise UriRefused("qrexpire", "it has expired")
    if uri.currency not in ("", target.currency):
        raise UriRefused("cu", "its currency is another one")
    if not uri.allows(amount):
        raise UriRefused("am", "it is not for this amount")
    if uri.signature:
        if not is_signed_code(uri.signed.encode(), uri.signature, target.code_key):
            raise UriRefused("sign", "its signature does not fit")
    elif target.person.category != NOT_A_MERCHANT:
        # Whoever changes a merchant's code takes the signature off as well.
        raise UriRefused("sign", "its signature is missing")
    if uri.category != target.person.category:
        raise UriRefused("mc", "its category is another one")


def get_code(counter: Counter, call: Call) -> Steps:
    """`PG`."""
    vmid, *rest = call.arguments
    amount, reference, seconds, text = (*rest, None, None, None, None)[:4]
    merchant = counter.merchant(vmid)
    (note,) = yield ReadNotes((person_key(merchant.account),))
    person = read(Person, note) if note else None
    if person is None or person.serial != merchant.serial:
        raise Refused(Reason.NO_SUCH_MERCHANT)
    return f"PG {code_of(counter, person, amount, reference, seconds, text)}"


def code_of(
    counter: Counter,
    person: Person,
    amount: int | None = None,
    reference: str | None = None,
    seconds: int | None = None,
    text: str | None = None,
) -> str:
    """What a client's code to scan says, signed by the bank."""
    name, _, handle = person.vpa.partition("@")
    uri = PayUri(
        Vpa(name, handle),
        name=person.name,
        category=person.category,
        amount=amount,
        currency=counter.currency,
        reference=reference or "",
        note=text or "",
        mode=MODE_SECURE_QR if amount is None else MODE_DYNAMIC_SECURE_QR,
        expires_us=counter.clock.now_us() + seconds * _US if seconds else None,
    )
    return build(uri, counter.code_key.sign)
