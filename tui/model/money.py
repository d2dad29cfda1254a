"""What the node tells of money between banks: transfers, positions, keys. Immutable values."""

from msgspec import Struct


class TransferRow(Struct, frozen=True):
    """A transfer as it stands, or a state that it came to (OO)."""

    transfer: str = ""
    bank: str | None = None
    direction: str = "out"
    role: str = "payer"
    state: str = ""
    phase: str = ""
    payer: str | None = None
    payee: str | None = None
    amount: int = 0
    entry: int = 0
    reason: str = ""
    note: str = ""
    since_us: int | None = None
    waits_for: str = "nothing"
    next_in_s: float | None = None
    attempts: int = 0
    in_doubt: bool = False
    trouble: str = ""
    seq: int = 0
    time_us: int = 0


class Reminders(Struct, frozen=True):
    """How far it is with asking a bank about all that it was paid; see `bank op remind`."""

    bank: str | None = None
    running: bool = False
    asked: int = 0
    kept: int = 0
    renewed: int = 0
    denied: int = 0
    failed: int = 0
    trouble: str = ""


class Transfers(Struct, frozen=True):
    """OF: a page of transfers."""

    show: str = "open"
    open: int = 0
    in_doubt: int = 0
    first: int = 0
    rows: tuple[TransferRow, ...] = ()
    next: int | None = None
    reminders: Reminders = Reminders()


class Step(Struct, frozen=True):
    """An entry that a transfer came by."""

    time_us: int = 0
    state: str = ""
    phase: str = ""
    kind: str = ""
    entry: int = 0
    height: int = 0
    signed: bool = False
    reason: str = ""
    note: str = ""


class TransferDetail(Struct, frozen=True):
    """OF of one transfer."""

    transfer: TransferRow = TransferRow()
    received_us: int | None = None
    steps: tuple[Step, ...] = ()
    complete: bool = True


class Stages(Struct, frozen=True):
    """OO: the states that transfers came to."""

    stages: tuple[TransferRow, ...] = ()
    next: int = 0
    lost: int = 0


class Decided(Struct, frozen=True):
    """OW."""

    transfer: TransferRow = TransferRow()


class Position(Struct, frozen=True):
    """How the bank stands with another one."""

    bank: str = ""
    nostro: int = 0
    vostro: int = 0
    net: int = 0
    leaving: int = 0
    coming: int = 0
    cap: int = 0
    room_out: int = 0
    room_in: int = 0


class Positions(Struct, frozen=True):
    """OU."""

    total: int = 0
    nostro: int = 0
    vostro: int = 0
    rows: tuple[Position, ...] = ()
    reminders: Reminders = Reminders()


class OwnKey(Struct, frozen=True):
    """The key of this bank."""

    bank: str = ""
    key: str = ""
    fingerprint: str = ""


class PinnedKey(Struct, frozen=True):
    """The key of another bank, and the one that it shows instead, if it does."""

    bank: str = ""
    key: str = ""
    fingerprint: str = ""
    since_us: int | None = None
    offered: str | None = None
    offered_fingerprint: str | None = None
    offered_us: int | None = None


class Keys(Struct, frozen=True):
    """OY."""

    own: OwnKey = OwnKey()
    total: int = 0
    changed: int = 0
    rows: tuple[PinnedKey, ...] = ()
