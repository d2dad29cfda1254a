"""The state that the journal adds up to: accounts, transfers, totals, free numbers.

A copy of it is what a batch is decided on. Knows no rules; it only holds, and lends parts out.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import filterfalse
from typing import Any

from bank_node.ledger.entries import Account, is_client
from bank_node.ledger.notes import Note
from bank_node.ledger.records import Record, encode
from bank_node.ledger.transfers import Phase, Transfer, claims
from bank_node.values import ACCOUNT_MAX, ACCOUNT_MIN, AMOUNT_MAX

Recall = Callable[[Mapping[str, int]], Iterable[Record]]
"""Finds finished transfers and notes that are not in memory: from keys, with the entry of each
where it is known and 0 where not, to the records of those that exist."""


class FreeNumbers:
    """The account numbers that are not taken; every change of one takes constant time.

    Numbers lie in no order. Where each of them lies is only noted once somebody asks for one by
    its name, which a ledger with a single writer never does.
    """

    __slots__ = ("_numbers", "_places")

    def __init__(self, taken: Iterable[int]) -> None:
        every, gone = range(ACCOUNT_MIN, ACCOUNT_MAX + 1), set(taken)
        self._numbers = list(filterfalse(gone.__contains__, every) if gone else every)
        self._places: dict[int, int] | None = None

    def take(self, draw: int) -> int | None:
        """Removes and returns the number that `draw` picks; None if all are taken."""
        if not self._numbers:
            return None
        place = draw % len(self._numbers)
        number = self._numbers[place]
        self._fill(place)
        if self._places is not None:
            del self._places[number]
        return number

    def remove(self, number: int) -> None:
        """Takes this number out; one that is not free stays so."""
        if self._places is None:
            self._places = {free: place for place, free in enumerate(self._numbers)}
        place = self._places.pop(number, None)
        if place is not None:
            self._fill(place)

    def give_back(self, number: int) -> None:
        """Makes a number free that is not."""
        if self._places is not None:
            self._places[number] = len(self._numbers)
        self._numbers.append(number)

    def _fill(self, place: int) -> None:
        """Moves the last number into a gap."""
        last = self._numbers.pop()
        if place < len(self._numbers):
            self._numbers[place] = last
            if self._places is not None:
                self._places[last] = place


def _nothing(_wanted: Mapping[str, int]) -> Iterable[Record]:
    return ()


class State:
    """Accounts, transfers and totals as of one entry, plus the entries decided on top of it.

    `fork` gives the working state of a batch, which sees only what is loaded into it; `absorb`
    takes a batch over once it is durable.
    """

    __slots__ = (
        "accounts", "beside", "cash", "ceiling", "clients", "closed", "entries", "evidence",
        "finished", "free", "guarded", "held", "notes", "pending", "pins", "promised",
        "sequence", "settled", "transfers",
    )  # fmt: skip

    def __init__(self, accounts: dict[int, Account | None], free: FreeNumbers) -> None:
        self.accounts = accounts
        """Those of clients, None for one closed by this batch, and settlement accounts."""
        self.free = free
        self.cash = 0
        self.clients = 0
        self.sequence = 0
        self.entries: list[bytes] = []
        """Each entry in canonical form, followed by its payload if it has one."""
        self.evidence: dict[bytes, int] = {}
        """What other banks have signed that led to entries of this batch, with the first of them.
        It is kept there once, however many entries a line of messages leads to."""
        self.beside: list[Note] = []
        """Notes of this batch that are to be told of beside the results."""
        self.closed: list[int] = []
        self.transfers: dict[str, Transfer] = {}
        """The open ones; in a fork, those that the batch touches, open or not."""
        self.notes: dict[str, Note] = {}
        """The open ones; in a fork, those that the batch touches, open or not."""
        self.guarded: set[int] = set()
        """The accounts that notes guard; in a fork, those of them that the batch touches."""
        self.finished: dict[str, int] = {}
        """The entries of finished transfers and notes, as far as the store keeps them here."""
        self.held = 0
        self.promised = 0
        self.settled = 0
        """The sum of the settlement accounts."""
        self.pins: dict[int, int] = {}
        """How many open transfers need an account to stay."""
        self.pending: dict[int, tuple[int, int]] = {}
        """By settlement account: what is held to go there, and promised to come from there."""
        self.ceiling = AMOUNT_MAX
        """How much cash may have been paid in; see `set_ceiling`."""

    @property
    def total(self) -> int:
        """What belongs to the clients: their accounts, and what is held for their transfers.

        All accounts sum to 0, so it is what cash and settlement accounts are short of.
        """
        return -(self.cash + self.settled)

    def position(self, bank: int) -> int:
        """What this bank owes another one, by its settlement account; negative if it is owed."""
        account = self.accounts.get(bank)
        return account.balance if account else 0

    def fork(self, touched: Collection[int | str], recall: Recall = _nothing) -> "State":
        """A working copy that holds just the accounts and transfers named.

        With a transfer come the accounts that it names.
        """
        accounts = self.accounts
        child = State({n: accounts[n] for n in touched if n in accounts}, self.free)
        child.cash = self.cash
        child.clients = self.clients
        child.sequence = self.sequence
        child.held = self.held
        child.promised = self.promised
        child.settled = self.settled
        child.ceiling = self.ceiling
        child.pending = self.pending.copy()
        if self.pins:
            child.pins = {n: self.pins[n] for n in touched if n in self.pins}
        if self.guarded:
            child.guarded = self.guarded.intersection(touched)
        if len(child.accounts) != len(touched):
            child._take_along(self, touched, recall)
        return child

    def _take_along(self, parent: "State", touched: Iterable[int | str], recall: Recall) -> None:
        wanted: dict[str, int] = {}
        notes, transfers = parent.notes, parent.transfers
        for key in touched:
            if not isinstance(key, str):
                continue
            note = notes.get(key)
            if note is not None:
                self.notes[key] = note
                continue
            known = transfers.get(key)
            if known is None:
                wanted[key] = parent.finished.get(key, 0)
                continue
            self.transfers[key] = known
            for number in (known.account, known.bank):
                if number in parent.accounts:
                    self.accounts[number] = parent.accounts[number]
                if number in parent.pins:
                    self.pins[number] = parent.pins[number]
        if wanted:
            for found in recall(wanted):
                if isinstance(found, Note):
                    self.notes[found.key] = found
                else:
                    self.transfers[found.key] = found

    def absorb(self, child: "State") -> None:
        """Takes over what a durable batch changed. Readers never see a closed account."""
        self.accounts.update(child.accounts)
        for number in child.closed:
            # The same batch may have given the number to somebody else already.
            if self.accounts.get(number) is None:
                self.accounts.pop(number, None)
        self.cash = child.cash
        self.clients = child.clients
        if child.notes:
            self._absorb_notes(child)
        if child.transfers:
            self._absorb_transfers(child)
        self.sequence = child.sequence

    def release(self, child: "State") -> None:
        """Takes back the numbers that a batch drew or freed which will not become durable."""
        for number, account in child.accounts.items():
            if not is_client(number):
                continue
            is_open = self.accounts.get(number) is not None
            if is_open and account is None:
                self.free.remove(number)
            elif account is not None and not is_open:
                self.free.give_back(number)

    def _absorb_notes(self, child: "State") -> None:
        since, notes, finished = self.sequence, self.notes, self.finished
        for key, note in child.notes.items():
            if note.entry <= since:
                continue
            if note.is_open and not note.guards:
                # By far the most; see `keep`.
                notes[key] = note
                finished.pop(key, None)
            else:
                self.keep(note)

    def _absorb_transfers(self, child: "State") -> None:
        for key, transfer in child.transfers.items():
            if transfer.entry <= self.sequence:
                continue
            if transfer.phase is Phase.ENDED:
                # By far the most; see `keep`.
                self.transfers.pop(key, None)
                self.finished[key] = transfer.entry
            else:
                self.keep(transfer)
        self.held = child.held
        self.promised = child.promised
        self.settled = child.settled
        self.ceiling = child.ceiling
        self.pins.update(child.pins)
        for number in child.pins:
            if not child.pins[number]:
                del self.pins[number]
        self.pending = {bank: claims for bank, claims in child.pending.items() if any(claims)}

    def keep(self, record: Record) -> None:
        """Takes in what has become of a transfer or a note; of one that is over, where it is."""
        kept: dict[str, Any] = self.notes if isinstance(record, Note) else self.transfers
        if isinstance(record, Note) and record.guards:
            self.guarded.add(record.guards)
        if record.is_open:
            kept[record.key] = record
            self.finished.pop(record.key, None)
        else:
            kept.pop(record.key, None)
            self.finished[record.key] = record.entry

    def forget_finished(self, up_to: int) -> None:
        """Forgets where those are found that ended up to an entry; the store knows."""
        self.finished = {key: entry for key, entry in self.finished.items() if entry > up_to}

    def changed_beside_accounts(self, since: int) -> list[int | str]:
        """What this batch changed after an entry that no open client tells by its last entry:
        records, settlement accounts, and the accounts that it closed."""
        transfers = [t for t in self.transfers.values() if t.entry > since]
        changed: list[int | str] = [t.key for t in transfers]
        changed += {t.bank for t in transfers}.intersection(self.accounts)
        changed += [note.key for note in self.notes.values() if note.entry > since]
        return changed + self.closed

    def record(self, key: str) -> Record | None:
        """The transfer or note of a key."""
        return self.transfers.get(key) or self.notes.get(key)

    def transfer_rows(self, keys: Iterable[str]) -> list[tuple[str, int, bytes]]:
        """What a store writes of records: key, entry, and the record of those that are open."""
        rows = []
        for key in keys:
            record = self.record(key)
            entry = record.entry if record else self.finished.get(key)
            if entry is not None:
                is_open = record and record.is_open
                rows.append((key, entry, encode(record) if record and is_open else b""))
        return rows

    def set_ceiling(self) -> None:
        """Has deposits leave room for all that is promised, and for what other banks are owed.

        So every promise can be kept, and no balance of the bank's own accounts needs more than
        63 bits.
        """
        self.ceiling = min(AMOUNT_MAX, AMOUNT_MAX - self.promised + self.settled)

    def lay_claims(self, before: Transfer | None, after: Transfer) -> None:
        """Counts what a transfer holds and promises now instead of what it did before."""
        old, new = claims(before), claims(after)
        if old is new:
            return
        (held, promised, pins), (held_before, promised_before, pins_before) = new, old
        amount, bank = after.amount, after.bank
        leaving = (held - held_before) * amount
        coming = (promised - promised_before) * amount
        self.held += leaving
        self.promised += coming
        self.set_ceiling()
        if pins != pins_before:
            account = after.account
            self.pins[account] = self.pins.get(account, 0) + pins - pins_before
        left_before, came_before = self.pending.get(bank, (0, 0))
        self.pending[bank] = (left_before + leaving, came_before + coming)
