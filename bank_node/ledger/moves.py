"""The rules of transfers: what an operation on one makes of a state, and the replay of its entries.

Pure. The table in `transfers.py` says what may happen to a transfer; here is what that does to
accounts and to the money and room that open transfers lay claim to.
"""

from collections.abc import Iterable

from bank_node.errors import CorruptLedger, Reason
from bank_node.ledger.entries import (
    ENTRY,
    HELD,
    Account,
    Entry,
    Kind,
    is_settlement,
)
from bank_node.ledger.state import State
from bank_node.ledger.transfer_operations import Hold, Move, Promise, ReadTransfer, Tell
from bank_node.ledger.transfers import (
    STEPS,
    Phase,
    Role,
    Step,
    Transfer,
    decode,
    encode,
    follows,
    sides,
)
from bank_node.values import AMOUNT_MAX

Outcome = Transfer | Reason

_pack = ENTRY.pack
_new = tuple.__new__
_TRANSFERRED = int(Kind.TRANSFERRED)


def move(state: State, operation: Move) -> Outcome:
    if operation.payer in state.guarded and operation.key not in state.transfers:
        return Reason.ACCOUNT_GUARDED
    return carry_out(state, operation)


def carry_out(state: State, operation: Move) -> Outcome:
    """A transfer whether the payer's account is guarded or not."""
    key, payer, payee, amount, _ = operation
    known = state.transfers.get(key)
    if known is not None:
        return _repeated(known, Transfer(key, Role.LOCAL, Phase.ENDED, 0, payer, payee, amount))
    if payer == payee:
        return Reason.SAME_ACCOUNT
    source, target = state.accounts.get(payer), state.accounts.get(payee)
    if source is None:
        return Reason.NO_SUCH_ACCOUNT
    if target is None:
        return Reason.NO_SUCH_PAYEE
    if source.balance < amount:
        return Reason.INSUFFICIENT_FUNDS
    # The sum of the clients stays, and no account can hold more than all together.
    state.sequence = sequence = state.sequence + 1
    transfer = _new(Transfer, (key, Role.LOCAL, Phase.ENDED, 0, payer, payee, amount, "", "", b"",
                               0, sequence))  # fmt: skip
    accounts = state.accounts
    accounts[payer] = Account(payer, source.balance - amount, sequence)
    accounts[payee] = Account(payee, target.balance + amount, sequence)
    state.transfers[key] = transfer
    entry = _pack(_TRANSFERRED, payer, payee, amount, source.last_entry, target.last_entry)
    state.entries.append(entry + encode(transfer))
    return transfer


def hold(state: State, operation: Hold) -> Outcome:
    if operation.payer in state.guarded and operation.key not in state.transfers:
        return Reason.ACCOUNT_GUARDED
    return set_aside(state, operation)


def set_aside(state: State, operation: Hold) -> Outcome:
    """A hold whether the payer's account is guarded or not."""
    key, payer, bank, amount = operation.key, operation.payer, operation.bank, operation.amount
    role, phase = Role.PAYER, Phase.RESERVED
    if operation.is_classic:
        role, phase = Role.CLASSIC, Phase.SENT
    wanted = _record(state, key, role, phase, bank, payer, operation.payee, amount)
    known = state.transfers.get(key)
    if known is not None:
        return _repeated(known, wanted)
    account = state.accounts.get(payer)
    if account is None:
        return Reason.NO_SUCH_ACCOUNT
    if account.balance < amount:
        return Reason.INSUFFICIENT_FUNDS
    owed, (leaving, _) = state.position(bank), state.pending.get(bank, (0, 0))
    if owed + leaving + amount > operation.cap:
        return Reason.DEBIT_CAP
    if state.settled + state.held + amount > AMOUNT_MAX:
        return Reason.BANK_LIMIT
    return enter(state, Kind.HELD, None, wanted)


def promise(state: State, operation: Promise) -> Outcome:
    key, payee, bank, amount = operation.key, operation.payee, operation.bank, operation.amount
    wanted = _record(
        state, key, Role.PAYEE, Phase.RESERVED, bank, payee, operation.payer, amount,
        evidence=operation.evidence,
    )  # fmt: skip
    known = state.transfers.get(key)
    if known is not None:
        return Reason.TRANSFER_ABORTED if known.phase is Phase.ABORTED else _repeated(known, wanted)
    if state.accounts.get(payee) is None:
        return Reason.NO_SUCH_PAYEE
    owed, (_, coming) = state.position(bank), state.pending.get(bank, (0, 0))
    if coming + amount - owed > operation.cap:
        return Reason.DEBIT_CAP
    if state.total + state.promised + amount > AMOUNT_MAX or (
        state.promised + amount - state.settled > AMOUNT_MAX
    ):
        return Reason.BANK_LIMIT
    return enter(state, Kind.PROMISED, None, wanted)


def tell(state: State, operation: Tell) -> Outcome:
    key, bank = operation.key, operation.bank
    known = state.transfers.get(key)
    if known is None:
        # Only the bank that decides has a name in its keys, so this is a payee's side.
        role, phase = (Role.PAYEE if "/" in key else Role.PAYER), None
        known_or_barred = Transfer(key, role, Phase.ABORTED, bank, 0, 0, 0)
    else:
        role, phase, known_or_barred = known.role, known.phase, known
        if bank not in (0, known.bank):
            return Reason.NO_SUCH_TRANSFER
    step = STEPS[role, phase, operation.message]
    if isinstance(step, Reason):
        return step
    if not isinstance(step, Step):
        return known_or_barred
    _, role, _, bank, account, other, amount, *_ = known_or_barred
    after = _record(
        state, key, role, step.phase, bank, account, other, amount, operation.reason,
        operation.note, operation.evidence,
    )  # fmt: skip
    return enter(state, step.kind, known, after)


def read_transfer(state: State, operation: ReadTransfer) -> Outcome:
    return state.transfers.get(operation.key) or Reason.NO_SUCH_TRANSFER


def _repeated(known: Transfer, wanted: Transfer) -> Outcome:
    return known if known.is_same(wanted) else Reason.TRANSFER_ID_TAKEN


def _record(
    state: State,
    key: str,
    role: Role,
    phase: Phase,
    bank: int,
    account: int,
    other: int,
    amount: int,
    reason: str = "",
    note: str = "",
    evidence: bytes = b"",
) -> Transfer:
    """The record that the next entry carries."""
    return _new(Transfer, (key, role, phase, bank, account, other, amount, reason, note, evidence,
                           0, state.sequence + 1))  # fmt: skip


def enter(state: State, kind: Kind, before: Transfer | None, after: Transfer) -> Transfer:
    """Books the next entry, about a transfer; everything it needs has been checked."""
    state.sequence += 1
    if after.evidence:
        first = state.evidence.setdefault(after.evidence, state.sequence)
        if first != state.sequence:
            after = _new(Transfer, (*after[:9], b"", first, state.sequence))
    entry = _booked(state, kind, after)
    state.lay_claims(before, after)
    state.transfers[after.key] = after
    state.entries.append(_pack(*entry) + encode(after))
    return after


def check_evidence(transfers: Iterable[Transfer]) -> None:
    """Proves that evidence which the records of a block name is in it. Raises CorruptLedger."""
    carried = set()
    for transfer in transfers:
        if transfer.evidence:
            carried.add(transfer.entry)
        elif transfer.evidence_entry and transfer.evidence_entry not in carried:
            raise CorruptLedger(f"the evidence of entry {transfer.entry} is not in its block")


def _booked(state: State, kind: int, transfer: Transfer) -> tuple[int, int, int, int, int, int]:
    """Moves the money of an entry, whose fields are returned."""
    debit, credit = sides(kind, transfer)
    if debit == credit:
        return (kind, 0, 0, 0, 0, 0)
    amount = transfer.amount
    before_debit = _add(state, debit, -amount)
    return (kind, debit, credit, amount, before_debit, _add(state, credit, amount))


def _add(state: State, number: int, amount: int) -> int:
    """Changes a balance; returns the account's latest entry before this one."""
    if number == HELD:
        return 0
    if is_settlement(number):
        state.settled += amount
    return add(state.accounts, number, amount, state.sequence)


def add(
    accounts: dict[int, Account] | dict[int, Account | None],
    number: int,
    amount: int,
    sequence: int,
) -> int:
    """Changes the balance of a client or settlement account.

    Returns the account's latest entry before this one. Raises CorruptLedger for a client account
    that is not open.
    """
    account = accounts.get(number)
    if account is None:
        if not is_settlement(number):
            raise CorruptLedger(f"entry {sequence} names account {number}, which is not open")
        account = Account(number, 0, 0)
    accounts[number] = Account(number, account.balance + amount, sequence)
    return account.last_entry


def replay(state: State, entry: Entry, payload: bytes, sequence: int) -> Transfer:
    """Books a recorded entry about a transfer again, and returns the record that it carries.

    Raises CorruptLedger if no rule allows it. The state must hold the transfer if it is open; the
    caller sees to it that no finished one goes on, and lets the state keep the record.
    """
    after = decode(payload, sequence)
    before = state.transfers.get(after.key)
    if not follows(before, entry.kind, after):
        raise CorruptLedger(f"entry {sequence} breaks a rule of transfers: {after.key}")
    state.sequence = sequence
    if _booked(state, entry.kind, after) != entry:
        raise CorruptLedger(f"entry {sequence} breaks a rule of the ledger: {entry}")
    for number in (after.account, after.other if after.role is Role.LOCAL else after.account):
        account = state.accounts.get(number)
        if account is not None and account.balance < 0:
            raise CorruptLedger(f"entry {sequence} overdraws account {number}")
    state.lay_claims(before, after)
    return after
