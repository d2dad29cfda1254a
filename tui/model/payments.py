"""What the node tells of payments: the flow, clients, what they ask of each other. Immutable."""

from typing import Any

from msgspec import Struct


class PaymentRow(Struct, frozen=True):
    """A state that a payment came to, or an attempt that was refused."""

    number: int = 0
    time_us: int = 0
    """When it was on disk, or refused; 0 for one that was looked up."""
    asked_us: int = 0
    state: str = ""
    code: str = ""
    why: str = ""
    kind: str = "pay"
    payment: str = ""
    rrn: str = ""
    payer: str = ""
    payee: str = ""
    payee_name: str = ""
    amount: int | None = None
    currency: str = ""
    reference: str = ""
    order: str = ""
    note: str = ""
    of: str = ""
    refunded: int = 0
    bank: str = ""
    transfer: str = ""


class PaymentFlow(Struct, frozen=True):
    """OQ: what passed, and the sums since the node was started."""

    rows: tuple[PaymentRow, ...] = ()
    next: int = 0
    lost: int = 0
    paid: int = 0
    refused: int = 0
    reasons: dict[str, int] = {}
    currency: str = ""


class Found(Struct, frozen=True):
    """OQ show=find, the newest first."""

    rows: tuple[PaymentRow, ...] = ()


class Client(Struct, frozen=True):
    """A user, or a merchant if the category is not 0000."""

    account: int = 0
    vpas: tuple[str, ...] = ()
    name: str = ""
    mobile: str = ""
    mmid: str = ""
    category: str = "0000"
    balance: int = 0
    state: str = "active"
    """`active`, `frozen` by itself, or `held` by the bank."""
    wrong_pins: int = 0
    locked_until_us: int | None = None
    opened_us: int | None = None

    @property
    def is_merchant(self) -> bool:
        return self.category != "0000"

    @property
    def address(self) -> str:
        return self.vpas[0] if self.vpas else str(self.account)


class Clients(Struct, frozen=True):
    """OQ show=clients."""

    total: int = 0
    first: int = 0
    rows: tuple[Client, ...] = ()
    next: int | None = None


class ClientChanged(Struct, frozen=True):
    """OQ do=freeze, release or reset; `pin` is the new one."""

    client: Client = Client()
    pin: str = ""


class Code(Struct, frozen=True):
    """OQ do=code: what a client's code to scan says."""

    uri: str = ""
    name: str = ""
    vpa: str = ""


class Statement(Struct, frozen=True):
    """What one side of a dispute has said."""

    by: str = ""
    text: str = ""
    time: str = ""


class Paper(Struct, frozen=True):
    """A request for money, a mandate, or a dispute."""

    kind: str = ""
    id: str = ""
    state: str = ""
    payee: str = ""
    payee_name: str = ""
    payer: str = ""
    amount: int = 0
    reference: str = ""
    note: str = ""
    time: str = ""
    expires: str = ""
    amount_rule: str = ""
    recurrence: str = ""
    start: str = ""
    end: str = ""
    proposed: dict[str, Any] | str = ""
    paid: int = 0
    next_from: str = ""
    next_until: str = ""
    next_amount: int | str = ""
    noticed: str = ""
    confirmed: int | str = ""
    tries: int | str = ""
    why: str = ""
    payment: str = ""
    """The disputed payment."""
    payee_bank: str = ""
    """The bank that decides a dispute, if it is another one than this."""
    said: tuple[Statement, ...] = ()
    deadline: str = ""
    refund: str = ""
    withdrawing: bool | str = ""


class Papers(Struct, frozen=True):
    """OQ show=papers."""

    total: int = 0
    first: int = 0
    rows: tuple[Paper, ...] = ()
    next: int | None = None


class PaperChanged(Struct, frozen=True):
    """OQ do=revoke, charge or reject."""

    paper: Paper = Paper()
