"""Transfers as a child would keep them: who has what, what is set aside, and what became of it.

Shares nothing with the rules of the ledger but the names of operations and refusals.
"""

from typing import Any, NamedTuple

from ledger_model import LIMIT
from msgspec.structs import astuple

from bank_node.errors import Reason

TOLD = {
    "POST": "commit",
    "VOID": "abort",
    "ASK": "ask",
    "ACKNOWLEDGE": "confirm",
    "CREDIT": "commit",
    "RELEASE": "abort",
}


class Known(NamedTuple):
    """One transfer: its fields and how it stands."""

    direction: str
    fields: tuple[Any, ...]
    stands: str


class PlainTransfers:
    """Clients, other banks and transfers in three dicts."""

    def __init__(self) -> None:
        self.balances: dict[int, int] = {}
        self.owed: dict[int, int] = {}
        self.known: dict[str, Known] = {}
        self.cash = 0

    def copy(self) -> "PlainTransfers":
        other = PlainTransfers()
        other.balances, other.owed = dict(self.balances), dict(self.owed)
        other.known, other.cash = dict(self.known), self.cash
        return other

    def _standing(self, direction: str, stands: str, bank: int | None = None) -> int:
        return sum(
            known.fields[3]
            for known in self.known.values()
            if (known.direction, known.stands) == (direction, stands)
            and bank in (None, known.fields[0])
        )

    @property
    def held(self) -> int:
        return self._standing("out", "reserved") + self._standing("classic", "reserved")

    @property
    def total(self) -> int:
        return sum(self.balances.values()) + self.held

    def is_needed(self, account: int) -> bool:
        return any(k.stands == "reserved" and k.fields[1] == account for k in self.known.values())

    def decide(self, operation: Any) -> Any:
        """What must come of an operation: a refusal, a number, or how the transfer stands."""
        return getattr(self, "_" + type(operation).__name__.lower())(operation)

    def _deposit(self, operation: Any) -> Any:
        number, amount = operation.account, operation.amount
        if number not in self.balances:
            return Reason.NO_SUCH_ACCOUNT
        if self.balances[number] + amount > LIMIT:
            return Reason.ACCOUNT_LIMIT
        promised = self._standing("in", "reserved")
        if self.total + amount + promised > LIMIT or amount + self.cash > LIMIT:
            return Reason.BANK_LIMIT
        self.balances[number] += amount
        self.cash += amount
        return 0

    def _withdraw(self, operation: Any) -> Any:
        number, amount = operation.account, operation.amount
        if number not in self.balances:
            return Reason.NO_SUCH_ACCOUNT
        if self.balances[number] < amount:
            return Reason.INSUFFICIENT_FUNDS
        self.balances[number] -= amount
        self.cash -= amount
        return 0

    def _closeaccount(self, operation: Any) -> Any:
        number = operation.account
        if number not in self.balances:
            return Reason.NO_SUCH_ACCOUNT
        if self.balances[number]:
            return Reason.ACCOUNT_NOT_EMPTY
        if self.is_needed(number):
            return Reason.ACCOUNT_IN_TRANSFER
        del self.balances[number]
        return 0

    def _move(self, operation: Any) -> Any:
        key, payer, payee, amount = operation[:4]
        if key in self.known:
            return self._again(key, "local", (0, payer, payee, amount))
        if payer == payee:
            return Reason.SAME_ACCOUNT
        if payer not in self.balances:
            return Reason.NO_SUCH_ACCOUNT
        if payee not in self.balances:
            return Reason.NO_SUCH_PAYEE
        if self.balances[payer] < amount:
            return Reason.INSUFFICIENT_FUNDS
        self.balances[payer] -= amount
        self.balances[payee] += amount
        return self._stands(key, "local", (0, payer, payee, amount), "committed")

    def _hold(self, operation: Any) -> Any:
        key, payer, bank, payee, amount, is_classic, cap = astuple(operation)
        fields = (bank, payer, payee, amount)
        if key in self.known:
            return self._again(key, "out", fields)
        if payer not in self.balances:
            return Reason.NO_SUCH_ACCOUNT
        if self.balances[payer] < amount:
            return Reason.INSUFFICIENT_FUNDS
        leaving = sum(self._standing(way, "reserved", bank) for way in ("out", "classic"))
        if self.owed.get(bank, 0) + leaving + amount > cap:
            return Reason.DEBIT_CAP
        if sum(self.owed.values()) + self.held + amount > LIMIT:
            return Reason.BANK_LIMIT
        self.balances[payer] -= amount
        return self._stands(key, "classic" if is_classic else "out", fields, "reserved")

    def _promise(self, operation: Any) -> Any:
        key, payee, bank, payer, amount, cap, _ = astuple(operation)
        fields = (bank, payee, payer, amount)
        if key in self.known:
            if self.known[key].stands == "aborted":
                return Reason.TRANSFER_ABORTED
            return self._again(key, "in", fields)
        if payee not in self.balances:
            return Reason.NO_SUCH_PAYEE
        if self._standing("in", "reserved", bank) + amount - self.owed.get(bank, 0) > cap:
            return Reason.DEBIT_CAP
        promised = self._standing("in", "reserved")
        if self.total + promised + amount > LIMIT:
            return Reason.BANK_LIMIT
        if promised + amount - sum(self.owed.values()) > LIMIT:
            return Reason.BANK_LIMIT
        return self._stands(key, "in", fields, "reserved")

    def _readtransfer(self, operation: Any) -> Any:
        known = self.known.get(operation.key)
        return known.stands if known else Reason.NO_SUCH_TRANSFER

    def _tell(self, operation: Any) -> Any:
        said, known = operation.message.name, self.known.get(operation.key)
        is_foreign = "/" in operation.key
        if known is None:
            if said == "RELEASE" and is_foreign:
                return self._stands(operation.key, "in", (operation.bank, 0, 0, 0), "aborted")
            return Reason.NO_SUCH_TRANSFER
        words = {
            "out": ("POST", "VOID", "ASK", "ACKNOWLEDGE"),
            "classic": ("POST", "VOID"),
            "in": ("CREDIT", "RELEASE"),
            "local": (),
        }
        wrong_bank = operation.bank not in (0, known.fields[0])
        if said not in words[known.direction] or wrong_bank:
            return Reason.NO_SUCH_TRANSFER
        return getattr(self, "_told_to_" + TOLD[said])(operation.key, known)

    def _told_to_commit(self, key: str, known: Known) -> Any:
        bank, account, _, amount = known.fields
        if known.stands == "aborted":
            return Reason.TRANSFER_ABORTED
        if known.stands == "reserved":
            if known.direction == "in":
                self.balances[account] += amount
                self.owed[bank] = self.owed.get(bank, 0) - amount
            else:
                self.owed[bank] = self.owed.get(bank, 0) + amount
            return self._stands(key, *known[:2], "committed")
        return known.stands

    def _told_to_abort(self, key: str, known: Known) -> Any:
        _, account, _, amount = known.fields
        if known.stands in ("committed", "confirmed"):
            return Reason.TRANSFER_COMMITTED
        if known.stands == "reserved":
            if known.direction != "in":
                self.balances[account] += amount
            return self._stands(key, *known[:2], "aborted")
        return known.stands

    def _told_to_ask(self, key: str, known: Known) -> Any:
        if known.stands == "reserved":
            return self._told_to_abort(key, known)
        return known.stands

    def _told_to_confirm(self, key: str, known: Known) -> Any:
        if known.stands == "reserved":
            return Reason.TRANSFER_UNDECIDED
        if known.stands == "aborted":
            return Reason.TRANSFER_ABORTED
        return self._stands(key, *known[:2], "confirmed")

    def _again(self, key: str, direction: str, fields: tuple[Any, ...]) -> Any:
        known = self.known[key]
        is_in = known.direction == "in"
        if known.fields != fields or is_in is not (direction == "in"):
            return Reason.TRANSFER_ID_TAKEN
        return known.stands

    def _stands(self, key: str, direction: str, fields: tuple[Any, ...], stands: str) -> str:
        self.known[key] = Known(direction, fields, stands)
        return stands
