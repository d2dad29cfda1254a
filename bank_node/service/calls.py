"""What a handler is made of and handed: the bank it answers for, one call, and the ways to answer.

The doors to rooms that the service may not know (the network above all) are protocols here; the
node fills them.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from msgspec import Struct

from bank_node.banking.transfers.flights import Flight, Order
from bank_node.errors import Reason, Refused
from bank_node.ledger.entries import Account
from bank_node.ledger.journal import Block
from bank_node.ledger.log import Log
from bank_node.ledger.office import Claim
from bank_node.ledger.operations import Done, Operation, Result
from bank_node.ledger.proofs import SignedHead
from bank_node.ledger.shipping import Request
from bank_node.protocol.commands import Audience, Command, visible_commands
from bank_node.protocol.messages import Catalogue
from bank_node.protocol.transfer_messages import Messages
from bank_node.security.identity import Identity
from bank_node.service.office import Office
from bank_node.service.together import Decide
from bank_node.telemetry.clock import Clock
from bank_node.values import BankCode

if TYPE_CHECKING:
    # These know this module.
    from bank_node.service.counter import Counter
    from bank_node.service.tickets import Session

Arguments = tuple[Any, ...]
Answer = bytes | str | Refused
"""A reply as it goes over the wire, a reply as text, or why there is none."""


class Elsewhere(Protocol):
    """Carries requests to other banks; there is one for each I/O thread."""

    def forward(
        self,
        bank: BankCode,
        line: bytes,
        trace: int,
        client: Any,
        done: Callable[[bytes | Refused], object],
    ) -> None:
        """Has `line` (without its end) answered by `bank`.

        What one client asks of one bank arrives there in its order. `done` is called once, on the
        same thread, after this has returned, and within the reply time. Raises Refused when the
        bank is not to be asked at all.
        """

    def close(self) -> None:
        """Lets go of all connections; called on the same thread."""


class Ledger(Protocol):
    """The doors of the ledger: reading what is durable, and having things decided in order.

    Where reads are not instant, `look_up` answers them ahead of what is being written.
    """

    @property
    def reads_are_instant(self) -> bool: ...

    def read(self, operation: Operation) -> Result: ...

    def submit(self, operations: Sequence[Operation], done: Done) -> None: ...

    def look_up(self, operations: Sequence[Operation], done: Done) -> None: ...


class Journal(Protocol):
    """What happened, for those who may wait for the disk."""

    def account(self, number: int) -> Account | None:
        """An account as of the last durable block."""

    def block_of(self, entry: int) -> Block | None:
        """The durable block that holds an entry; only workers may call it."""


class BankFigures(NamedTuple):
    """What a bank says that it holds."""

    address: BankCode
    amount: int
    clients: int


class Survey(NamedTuple):
    """The figures of the whole network, as far as they could be learnt."""

    banks: tuple[BankFigures, ...]
    left_out: tuple[tuple[BankCode, str], ...]
    """Banks that are known and cannot be counted on, each with the reason."""


class Transfers(Protocol):
    """Transfers between this bank and others."""

    def begin(self, call: "Call", order: Order, done: Callable[[Answer], None]) -> None:
        """A transfer to another bank. Raises Refused(OUT_OF_REACH)."""

    def has_received(self, key: str) -> bool:
        """Whether a transfer is known that nothing has been set aside for yet."""

    def receive(
        self, sender: BankCode, messages: Messages, signature: str, done: Callable[[Answer], None]
    ) -> None:
        """What another bank says about transfers."""

    def flights(self) -> list[Flight]:
        """Those under way; only to be looked at."""

    def flight(self, key: str) -> Flight | None:
        """One of those under way; only to be looked at."""

    def now(self) -> float:
        """The time that the moments of flights are told by."""

    def find(self, key: str) -> Result:
        """The record of a transfer, however long ago, or why there is none; blocks."""

    def settle(self, key: str, note: str, *, commit: bool) -> Result:
        """Decides one that is in doubt; blocks. The record, or why nothing was done."""


class Network(Protocol):
    """The banks around, this one among them."""

    def survey(self, within_s: float, trace: int) -> Survey:
        """Asks all banks what they hold; blocks, so only workers may call it."""

    def noticed(self, bank: BankCode) -> None:
        """Takes a hint that there is a bank at an address; never blocks."""

    def witnessed(self, bank: BankCode) -> SignedHead | None:
        """The latest head of another bank's ledger that was proven to this one; never blocks."""


class Following(Protocol):
    """What a node does as one of several that keep a bank."""

    def details(self, reason: Reason) -> dict[str, str]:
        """What the sentence of a refusal by the ledger needs beside its reason."""

    def ask(
        self,
        request: Request,
        signature: str,
        within_s: float,
        done: Callable[[str | Refused], None],
    ) -> None:
        """Has a follower's request answered by a delivery as JSON; never blocks."""

    def claimed(self, claim: Claim, signature: str) -> tuple[Claim, str]:
        """Takes in who leads, and says it as this node knows it, signed. Raises Refused."""

    def promote(self, node: str, signature: str) -> None:
        """Makes this node the leader; blocks. Raises Refused."""

    def take_office(self) -> None:
        """The operator of this node makes it the leader; blocks.

        Raises Refused with NO_FOLLOWER, and with FOLLOWER_FAILED until a new start.
        """

    def status(self) -> dict[str, Any]:
        """What this node is in its bank, as plain data."""


class Bank(Struct, frozen=True):
    """What every handler may know of the bank that it answers for."""

    code: BankCode
    name: str
    version: str
    extensions: bool
    catalogue: Catalogue
    draw: Callable[[], int]
    """A new unpredictable integer of 64 bits, to draw account numbers and ids by."""
    network: Network
    identity: Identity
    log: Log
    journal: Journal
    transfers: Transfers
    following: Following
    clock: Clock
    timeout_s: float
    """Seconds to a reply."""
    counter: "Counter | None" = None
    """Where clients with payment addresses are served, where there are any."""
    objective: str = "fewest"
    """How a robbery is planned: `fewest` or `closest`."""
    audience: Audience = Audience.PUBLIC
    office: Office | None = None
    """What the operator's commands work with; only the operator's port has it."""

    def commands(self) -> dict[bytes, Command]:
        """The rows that this bank serves to its audience."""
        # On the port that everybody may call, other banks speak as well.
        audience = Audience.PEER if self.audience is Audience.PUBLIC else self.audience
        return visible_commands(extensions=self.extensions, audience=audience)

    def new_transfer_id(self) -> str:
        """An id for a transfer that came without one.

        It begins with the time, so that ids of one day lie side by side in an index, and it is
        short, so that many messages about transfers fit into a line and share its signature.
        """
        # One number is written in half the time of two texts.
        return "%027x" % (self.clock.now_us() // 1000 << _ID_CHANCE_BITS | self.draw())

    @property
    def capabilities(self) -> tuple[str, ...]:
        """The families of commands served beyond the classic nine, and the key of the bank."""
        if not self.extensions:
            return ()
        operator = () if self.audience is Audience.PUBLIC else ("operator",)
        words = self.counter.capabilities if self.counter else ()
        families = ("session", "ledger", "transfers", "commit", "follow", *operator)
        return (*families, f"key={self.identity.key}", *words)


# As many as are drawn. Nobody looks whether an id that was drawn is in use: two of one millisecond
# would have to be the same number.
_ID_CHANCE_BITS = 64


class Call(Struct, frozen=True):
    """One request that is answered away from the ledger."""

    bank: Bank
    arguments: Arguments
    trace: int
    """The number that all lines of the traffic log about this request carry."""
    started_ns: int
    session: "Session"
    decide: Decide
    """Has the ledger decide something together with what else is asked in this round of the desk;
    only while the request is taken in, on the thread of its desk."""

    def seconds_left(self) -> float:
        """How much of the reply time is left, some of it kept back for telling the reply."""
        passed_s = (self.bank.clock.monotonic_ns() - self.started_ns) / 1e9
        return self.bank.timeout_s * _SHARE_FOR_WORK - passed_s


# The rest of the reply time is for the way back and for a machine that is busy.
_SHARE_FOR_WORK = 0.9


class Handler(Struct, frozen=True):
    """How one command is answered: by the ledger, by settings alone, or away from both.

    With an `operation`, `reply` gets the bank, the arguments and the operation's result;
    without, the result is 0. An operation of None is none for this request, which `later`
    answers then. Where the reply is always the same it is just that text. `now` answers at once,
    on the I/O thread, and may look at the session. `work` runs on a
    worker thread and returns the reply. `later` must not block; whatever it starts calls the
    function that it is given, from any thread, once, after `later` has returned. Both may raise
    Refused.
    """

    reply: Callable[[Bank, Arguments, Any], str] | str = ""
    operation: Callable[[Bank, Arguments], Operation | None] | None = None
    now: Callable[[Call], str] | None = None
    work: Callable[[Call], str] | None = None
    later: Callable[[Call, Callable[[Answer], None]], None] | None = None
