"""The durable record of a transfer, and the table of what each message makes of it.

Pure. A record lives in the payloads of the journal: each entry about a transfer carries the whole
record as it is from then on. `STEPS` has a line for every role, phase and message; nothing about
a transfer happens that it does not say.
"""

from collections.abc import Callable
from enum import IntEnum
from struct import Struct, error
from typing import NamedTuple

from bank_node.errors import CorruptLedger, Reason
from bank_node.ledger.entries import CASH, HELD, Kind


class Role(IntEnum):
    """What this bank is in a transfer."""

    LOCAL = 1
    """Both accounts are here."""
    PAYER = 2
    """The payer is here, the other bank takes part in two-phase commit; this one decides."""
    PAYEE = 3
    """The payee is here; the other bank decides."""
    CLASSIC = 4
    """The payer is here, the other bank knows deposits only."""


class Phase(IntEnum):
    """How far a transfer has come here."""

    RESERVED = 1
    """The payer's money is held, or the payee's room is promised; nothing is decided here."""
    SENT = 2
    """The money is held and the deposit may have been sent: only an answer tells what became."""
    COMMITTED = 3
    """It is decided and booked; the other bank has not confirmed yet."""
    ENDED = 4
    """It is booked on both sides."""
    ABORTED = 5
    """It was given up; the money is where it was."""


_OPEN = frozenset((Phase.RESERVED, Phase.SENT, Phase.COMMITTED))

STATE_OF_PHASE = {
    Phase.RESERVED: "reserved",
    Phase.SENT: "unknown",
    Phase.COMMITTED: "committed",
    Phase.ENDED: "committed",
    Phase.ABORTED: "aborted",
}
"""What outsiders are told of a phase; `received` is a transfer that has no record yet."""


class Message(IntEnum):
    """What can be said to a transfer that this bank may have a record of."""

    POST = 1
    VOID = 2
    ACKNOWLEDGE = 3
    ASK = 4
    """The payee's bank wants to know; what is not decided yet is given up by being asked."""
    PROMISE = 5
    CREDIT = 6
    RELEASE = 7


class Transfer(NamedTuple):
    """The record of a transfer. Amounts in units; `bank` is a settlement account, 0 for none."""

    key: str
    """The id; for one that another bank coordinates, that bank's code, a slash and the id."""
    role: Role
    phase: Phase
    bank: int
    account: int
    """Our client: who pays, but for role PAYEE."""
    other: int
    """The account on the other side, of the other bank unless the role is LOCAL."""
    amount: int
    reason: str = ""
    """Why it was given up: the name of a refusal."""
    note: str = ""
    """Who decided it by hand and why; empty when nobody did."""
    evidence: bytes = b""
    """The other bank's signed word that led to this phase; empty without one."""
    evidence_entry: int = 0
    """The entry that carries the evidence, where an earlier one of the same block does."""
    entry: int = 0
    """The sequence number of the entry that carries this record."""

    @property
    def id(self) -> str:
        """The id that the coordinating bank knows it by."""
        return self.key.rpartition("/")[2]

    @property
    def is_open(self) -> bool:
        """Whether anything is still to happen to it."""
        return self.phase in _OPEN

    @property
    def state(self) -> str:
        """The public name of its phase."""
        return STATE_OF_PHASE[self.phase]

    def is_same(self, other: "Transfer") -> bool:
        """Whether another record is of the same transfer, however far either has come.

        A payer's bank may take the payee's for a classic one at one time and not at another.
        """
        return self[3:7] == other[3:7] and (self.role is Role.PAYEE) is (other.role is Role.PAYEE)


class Step(NamedTuple):
    """What a message does: the entry that it makes, and the phase after it."""

    kind: Kind
    phase: Phase


SAME = "same"
"""Nothing is to be done: the transfer is already what the message asks for."""

_L, _P, _R, _C = Role.LOCAL, Role.PAYER, Role.PAYEE, Role.CLASSIC
_reserved, _sent, _committed, _ended, _aborted = Phase
_UNKNOWN, _IS_COMMITTED = Reason.NO_SUCH_TRANSFER, Reason.TRANSFER_COMMITTED
_IS_ABORTED, _OPEN_STILL = Reason.TRANSFER_ABORTED, Reason.TRANSFER_UNDECIDED

# Rows are where a transfer stands, columns the messages in their order. A phase that a role never
# has is left out; `record_of` refuses it.
_TABLE: dict[tuple[Role, Phase | None], tuple[Step | str | Reason, ...]] = {
    # POST, VOID, ACKNOWLEDGE, ASK, PROMISE, CREDIT, RELEASE
    (_P, None): (_UNKNOWN,) * 7,
    (_P, _reserved): (Step(Kind.POSTED, _committed), Step(Kind.VOIDED, _aborted), _OPEN_STILL,
                      Step(Kind.VOIDED, _aborted), _UNKNOWN, _UNKNOWN, _UNKNOWN),
    (_P, _committed): (SAME, _IS_COMMITTED, Step(Kind.ACKNOWLEDGED, _ended), SAME,
                       _UNKNOWN, _UNKNOWN, _UNKNOWN),
    (_P, _ended): (SAME, _IS_COMMITTED, SAME, SAME, _UNKNOWN, _UNKNOWN, _UNKNOWN),
    (_P, _aborted): (_IS_ABORTED, SAME, _IS_ABORTED, SAME, _UNKNOWN, _UNKNOWN, _UNKNOWN),

    (_R, None): (_UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, Step(Kind.PROMISED, _reserved),
                 _UNKNOWN, Step(Kind.BARRED, _aborted)),
    (_R, _reserved): (_UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, SAME,
                      Step(Kind.CREDITED, _ended), Step(Kind.RELEASED, _aborted)),
    (_R, _ended): (_UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, SAME, SAME, _IS_COMMITTED),
    (_R, _aborted): (_UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, _IS_ABORTED, _IS_ABORTED, SAME),

    (_C, None): (_UNKNOWN,) * 7,
    (_C, _sent): (Step(Kind.POSTED, _ended), Step(Kind.VOIDED, _aborted), _UNKNOWN, _UNKNOWN,
                  _UNKNOWN, _UNKNOWN, _UNKNOWN),
    (_C, _ended): (SAME, _IS_COMMITTED, _UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN),
    (_C, _aborted): (_IS_ABORTED, SAME, _UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN),

    (_L, None): (_UNKNOWN,) * 7,
    (_L, _ended): (_UNKNOWN,) * 7,
}  # fmt: skip

STEPS: dict[tuple[Role, Phase | None, Message], Step | str | Reason] = {
    (role, phase, message): step
    for (role, phase), row in _TABLE.items()
    for message, step in zip(Message, row, strict=True)
}
"""By role, phase (None without a record) and message: a step, SAME, or why it is refused."""

BEGINNINGS = {
    (Kind.TRANSFERRED, _L, _ended),
    (Kind.HELD, _P, _reserved),
    (Kind.HELD, _C, _sent),
    (Kind.PROMISED, _R, _reserved),
    (Kind.BARRED, _R, _aborted),
}
"""Entries that a record begins with, its role and its phase then."""


def follows(before: Transfer | None, kind: int, after: Transfer) -> bool:
    """Whether the table allows an entry of this kind to make `after` of `before`."""
    if before is None:
        return (kind, after.role, after.phase) in BEGINNINGS
    steps = [STEPS.get((before.role, before.phase, message)) for message in Message]
    return before.is_same(after) and Step(Kind(kind), after.phase) in steps


def sides(kind: int, transfer: Transfer) -> tuple[int, int]:
    """The accounts that an entry of this kind moves the amount between; the same when it does not.

    Raises KeyError for a kind that is not about transfers.
    """
    return _SIDES[kind](transfer)


_SIDES: dict[int, Callable[[Transfer], tuple[int, int]]] = {
    Kind.TRANSFERRED: lambda t: (t.account, t.other),
    Kind.HELD: lambda t: (t.account, HELD),
    Kind.POSTED: lambda t: (HELD, t.bank),
    Kind.VOIDED: lambda t: (HELD, t.account),
    Kind.PROMISED: lambda _: (CASH, CASH),
    Kind.CREDITED: lambda t: (t.bank, t.account),
    Kind.RELEASED: lambda _: (CASH, CASH),
    Kind.BARRED: lambda _: (CASH, CASH),
    Kind.ACKNOWLEDGED: lambda _: (CASH, CASH),
}


class Claims(NamedTuple):
    """What a transfer lays claim to while it stands somewhere; the factors are of its amount."""

    held: int = 0
    """Money of a client that is set aside for it."""
    promised: int = 0
    """Room that is kept for it."""
    pins: int = 0
    """Whether the account of our client must stay until it has gone on."""


_NO_CLAIMS = Claims()
_CLAIMS = {
    (_P, _reserved): Claims(held=1, pins=1),
    (_C, _sent): Claims(held=1, pins=1),
    (_R, _reserved): Claims(promised=1, pins=1),
}


def claims(transfer: Transfer | None) -> Claims:
    """What a transfer lays claim to."""
    return _CLAIMS.get(transfer[1:3], _NO_CLAIMS) if transfer else _NO_CLAIMS


# Role, phase, bank, account, other, amount, where the evidence is, and the lengths of key, reason,
# note and evidence.
_RECORD = Struct(">BBQQQQQBBHH")
_VERSION = b"\x01"

_role_of = dict(zip(Role, Role, strict=True)).__getitem__
_phase_of = dict(zip(Phase, Phase, strict=True)).__getitem__


def encode(transfer: Transfer) -> bytes:
    """The canonical form of a record, the payload of the entry that carries it."""
    key, role, phase, bank, account, other, amount, reason, note, evidence, place, _ = transfer
    name = key.encode()
    if not (reason or note or evidence):
        return _VERSION + _RECORD.pack(role, phase, bank, account, other, amount, place,
                                       len(name), 0, 0, 0) + name  # fmt: skip
    why, said = reason.encode(), note.encode()
    head = _RECORD.pack(role, phase, bank, account, other, amount, place,
                        len(name), len(why), len(said), len(evidence))  # fmt: skip
    return b"".join((_VERSION, head, name, why, said, evidence))


def decode(payload: bytes, entry: int) -> Transfer:
    """The record that an entry carries. Raises CorruptLedger unless it is in canonical form."""
    try:
        numbers = _RECORD.unpack_from(payload, 1)
        _, _, bank, account, other, amount, place, *lengths = numbers
        texts, at = [], 1 + _RECORD.size
        for length in lengths:
            texts.append(payload[at : at + length])
            at += length
        key, reason, note = (text.decode() for text in texts[:3])
        role, phase = _role_of(numbers[0]), _phase_of(numbers[1])
    except (error, KeyError, UnicodeDecodeError):
        raise CorruptLedger(f"the transfer of entry {entry} cannot be read") from None
    if (
        payload[:1] != _VERSION
        or len(payload) != at
        or (role, phase) not in _TABLE
        or (place and (texts[3] or place >= entry))
    ):
        raise CorruptLedger(f"the transfer of entry {entry} cannot be read")
    return Transfer(key, role, phase, bank, account, other, amount, reason, note, texts[3], place,
                    entry)  # fmt: skip


def key_of(bank: str, transfer_id: str) -> str:
    """The key of a transfer that another bank coordinates."""
    return f"{bank}/{transfer_id}"
