"""Who leads a bank that is kept by several nodes: the term of office, durable beside the ledger.

One node leads and takes changes, others follow it. A promotion begins a new term, whose number, the
epoch, is one higher; whoever learns of a higher epoch follows from then on, or takes no more
changes. What is said about it is signed with the key of the bank, which all its nodes have.
"""

from enum import Enum
from pathlib import Path
from threading import Lock
from typing import Annotated, Literal, NamedTuple

import msgspec

from bank_node.errors import StartupError
from bank_node.security.canonical import canonical
from bank_node.security.files import write_private
from bank_node.security.identity import Identity, is_signed

_DOMAIN = "term of office"
_FOLLOWERS_MAX = 16
_BYTES_MAX = 65_536


class Role(Enum):
    """What a node is in its bank."""

    LEADER = "leader"
    FOLLOWER = "follower"
    DEPOSED = "deposed"
    """It led until another node was promoted, and does not follow that one yet."""


class Claim(NamedTuple):
    """Somebody says: in this epoch the node at this address, `host:port`, leads the bank."""

    epoch: int
    leader: str


class _File(msgspec.Struct, frozen=True):
    """The whole file."""

    format: Literal["bank office"]
    version: Literal[1]
    bank: str
    epoch: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    role: Role
    node: str
    """A name that this node was given by chance, by which its leader tells it from others."""
    leader: str = ""
    followers: Annotated[list[str], msgspec.Meta(max_length=_FOLLOWERS_MAX)] = []
    """Where followers serve, to be asked at a start whether one of them leads now."""
    deposing: str = ""
    """Where the leader before this one served, until it has been told."""


class Office:
    """The term of office as one node knows it. From any thread; every change is on disk first."""

    def __init__(self, path: Path, new_name: str) -> None:
        """Reads what is known; a node that knows nothing leads. Raises StartupError."""
        self._path = path
        self._lock = Lock()
        self._file = _read(path) or _File("bank office", 1, "", 1, Role.LEADER, new_name)

    @property
    def bank(self) -> str:
        """The code of the bank that is followed; empty for a node that never did."""
        return self._file.bank

    @property
    def epoch(self) -> int:
        return self._file.epoch

    @property
    def role(self) -> Role:
        return self._file.role

    @property
    def leads(self) -> bool:
        return self._file.role is Role.LEADER

    @property
    def node(self) -> str:
        return self._file.node

    @property
    def leader(self) -> str:
        """Where the leader serves, as far as this node knows; empty for itself."""
        return self._file.leader

    @property
    def followers(self) -> list[str]:
        return self._file.followers

    @property
    def deposing(self) -> str:
        return self._file.deposing

    def begin_to_follow(self, bank: str, leader: str) -> None:
        """This node follows the node at `leader` from now on. Raises OSError."""
        with self._lock:
            self._change(bank=bank, role=Role.FOLLOWER, leader=leader, deposing="")

    def promote(self) -> None:
        """This node leads from now on, in a new term. Raises OSError."""
        with self._lock:
            if not self.leads:
                self._change(
                    epoch=self.epoch + 1, role=Role.LEADER, leader="", deposing=self.leader
                )

    def learn(self, claim: Claim) -> bool:
        """Takes in a proven claim; True if it changed anything. Raises OSError.

        A leader that learns of a higher epoch is deposed by it. An epoch has one leader, which
        may have moved.
        """
        with self._lock:
            moved = ":" in claim.leader and claim.leader != self.leader and not self.leads
            if claim.epoch < self.epoch or (claim.epoch == self.epoch and not moved):
                return False
            role = Role.DEPOSED if self.leads else self.role
            # Who does not say where it leads is no reason to forget whom to ask.
            leader = claim.leader if ":" in claim.leader else self.leader
            self._change(epoch=claim.epoch, role=role, leader=leader, deposing="")
            return True

    def note_follower(self, address: str) -> None:
        """Remembers where a follower serves. Raises OSError."""
        with self._lock:
            if address not in self.followers and len(self.followers) < _FOLLOWERS_MAX:
                self._change(followers=[*self.followers, address])

    def note_deposed(self) -> None:
        """The leader before this one knows that it is deposed. Raises OSError."""
        with self._lock:
            self._change(deposing="")

    def _change(self, **fields: object) -> None:
        changed = msgspec.structs.replace(self._file, **fields)
        text = msgspec.json.format(msgspec.json.encode(changed), indent=1)
        write_private(self._path, text + b"\n")
        self._file = changed


def sign_claim(identity: Identity, bank: str, claim: Claim) -> str:
    """The signature of the bank under a claim."""
    return identity.sign(canonical(_DOMAIN, bank, claim.epoch, claim.leader))


def is_proven(claim: Claim, bank: str, key: str, signature: str) -> bool:
    """Whether a claim is signed with the key of the bank."""
    return is_signed(canonical(_DOMAIN, bank, claim.epoch, claim.leader), signature, key)


def _read(path: Path) -> _File | None:
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_BYTES_MAX), type=_File)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # A node that forgets that it was deposed would make a second history.
        raise StartupError(f"who leads this bank, {path}, cannot be read: {error}") from None
