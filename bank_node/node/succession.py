"""A node as one of several that keep a bank: it leads or follows, and changes its place.

Puts the term of office, the leader's and the follower's side together, and tells the other nodes
who leads. The rules are in `ledger.office`.
"""

import logging
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Any

from bank_node.errors import BankError, Reason, Refused, StartupError
from bank_node.ledger.office import Claim, Office, Role, is_proven, sign_claim
from bank_node.ledger.proofs import SignedHead
from bank_node.ledger.quorum import Quorum
from bank_node.ledger.shipping import Request
from bank_node.ledger.store import Store
from bank_node.ledger.writer import Writer
from bank_node.network.channel import Channel
from bank_node.network.exchange import parse_endpoint
from bank_node.node.following import Follower, as_following
from bank_node.node.leading import Asking, Feeder
from bank_node.security.canonical import canonical
from bank_node.security.identity import Identity, is_signed
from bank_node.telemetry.clock import Clock

_log = logging.getLogger(__name__)

_PROMOTION = "promotion"
# At a start each follower that is known is asked for so long whether it leads meanwhile.
_START_S = 1.0
_HERALD_EVERY_S = 1.0
_ANSWER_S = 3.0


def sign_promotion(identity: Identity, bank: str, node: str, epoch: int) -> str:
    """The order to a follower in an epoch, by whoever has the key of the bank."""
    return identity.sign(canonical(_PROMOTION, bank, node, epoch))


def _nobody() -> None:
    """Whom a promotion concerns while nobody has said so."""


class Succession:
    """See the module. Fills `service.calls.Following`."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        office: Office,
        identity: Identity,
        bank: str,
        quorum: Quorum | None,
        new_number: Callable[[], int],
        clock: Clock,
    ) -> None:
        self._writer = writer
        self._store = store
        self._office = office
        self._identity = identity
        self._bank = bank
        self._quorum = quorum
        self._clock = clock
        self.promoted: Callable[[], object] = _nobody
        """Called when this node begins to lead, after changes are taken."""
        self._serving = ""
        self._lock = Lock()
        self._stopping = Event()
        self._follower: Follower | None = None
        self._feeder = Feeder(store, office, identity, bank, quorum, self._learn, new_number, clock)
        self._herald = Thread(target=self._proclaim, name="herald", daemon=True)
        writer.ship(self._feeder.published, quorum)
        writer.bar(not office.leads)

    def prepare(self) -> None:
        """Before changes are taken: asks the followers that are known whether one of them leads."""
        asking = [
            Thread(target=self.exchange, args=(address, _START_S), daemon=True)
            for address in (self._office.followers if self._office.leads else ())
        ]
        for each in asking:
            each.start()
        for each in asking:
            each.join(_START_S)

    def start(self, serving: str) -> None:
        """Begins to lead or to follow; `serving` is the address of this node."""
        self._serving = serving
        self._feeder.start()
        if self._quorum is not None:
            self._quorum.start()
        if self._office.role is Role.FOLLOWER:
            self._begin_to_follow()
        elif not self._office.leads:
            _log.warning(
                "another node leads this bank (%s), changes are refused; follow it with "
                "`bank serve --follow`",
                self._office.leader or "its address is not known",
            )
        self._herald.start()

    def hush(self) -> None:
        """Has followers wait no longer for what comes: the node stops."""
        self._feeder.hush()

    def stop(self) -> None:
        """Follows and feeds no more; what waits for followers is told as unknown."""
        self._stopping.set()
        if self._follower is not None:
            self._follower.stop()
        self._feeder.stop()
        if self._quorum is not None:
            self._quorum.close()

    @property
    def epoch(self) -> int:
        return self._office.epoch

    def leader(self) -> str:
        """Where the node serves that takes changes, `host:port`."""
        return self._office.leader or self._serving

    def details(self, reason: Reason) -> dict[str, str]:
        return {"leader": self.leader()} if reason is Reason.NOT_LEADER else {}

    def ask(
        self,
        request: Request,
        signature: str,
        within_s: float,
        done: Callable[[str | Refused], None],
    ) -> None:
        deadline_ns = self._clock.monotonic_ns() + int(within_s * 1e9)
        self._feeder.ask(Asking(request, signature, deadline_ns, done))

    def claimed(self, claim: Claim, signature: str) -> tuple[Claim, str]:
        if not is_proven(claim, self._bank, self._identity.key, signature):
            raise Refused(Reason.NOT_THIS_BANK, bank=self._bank)
        self._learn(claim)
        known = Claim(self._office.epoch, self.leader() or "?")
        return known, sign_claim(self._identity, self._bank, known)

    def seen(self, head: SignedHead) -> None:
        """A witness has a head of this bank, proven to be signed with its key."""
        if head.epoch > self._office.epoch:
            self._learn(Claim(head.epoch, "?"))
        elif head.size > self._store.head.height and self._office.leads:
            _log.error(
                "other banks have seen %d blocks of this ledger, it has %d; was it restored?",
                head.size,
                self._store.head.height,
            )

    def promote(self, node: str, signature: str) -> None:
        order = canonical(_PROMOTION, self._bank, node, self._office.epoch)
        if node != self._office.node or not is_signed(order, signature, self._identity.key):
            raise Refused(Reason.NOT_THIS_BANK, bank=self._bank)
        self.take_office()

    def take_office(self) -> None:
        with self._lock:
            if self._follower is None or self._office.role is not Role.FOLLOWER:
                raise Refused(Reason.NO_FOLLOWER)
            self._follower.stop()
            store = as_following(self._store)
            if store is not None and not store.is_sound:
                # It would depose who leads now, and take no changes itself.
                raise Refused(Reason.FOLLOWER_FAILED)
            self._follower = None
            self._office.promote()
            self._writer.bar(False)
            self.promoted()
        _log.warning("this node leads the bank from now on, in epoch %d", self._office.epoch)

    def status(self) -> dict[str, Any]:
        office, head, now_us = self._office, self._store.head, self._clock.now_us()
        told: dict[str, Any] = {
            "role": office.role.value,
            "epoch": office.epoch,
            "leader": self.leader(),
            "node": office.node,
            "height": head.height,
        }
        follower = self._follower
        if follower is not None:
            told["lag_blocks"] = max(0, follower.leader_height - head.height)
            told["lag_ms"] = round(follower.lag_us / 1000, 1)
            told["connected"] = follower.is_connected
            told["problem"] = follower.problem
        told["followers"] = [
            {
                "node": node,
                "serving": seen.serving,
                "height": seen.height,
                "behind": max(0, head.height - seen.height),
                "seen_ms": (now_us - seen.at_us) // 1000,
            }
            for node, seen in sorted(self._feeder.followers.items())
        ]
        return told

    def _begin_to_follow(self) -> None:
        store = as_following(self._store)
        if store is None:
            raise StartupError("a ledger that several nodes share needs no follower")
        self._follower = Follower(
            self._writer,
            store,
            self._office,
            self._identity,
            lambda: self._serving,
            self._clock,
            self.exchange,
        )
        self._follower.start()

    def _learn(self, claim: Claim) -> None:
        """Takes in a proven claim; a leader that is deposed by it takes no more changes."""
        led = self._office.leads
        # First no more changes, then the note of why: between the two a crash must do no harm.
        if led and claim.epoch > self._office.epoch:
            self._writer.bar(True)
        if self._office.learn(claim) and led:
            _log.error(
                "the node at %s leads this bank since epoch %d, this one takes no more changes",
                claim.leader or "an unknown address",
                claim.epoch,
            )

    def _proclaim(self) -> None:
        """Tells the leader before this one that it is over, until it has heard."""
        while not self._stopping.wait(_HERALD_EVERY_S):
            address = self._office.deposing
            if address and self._office.leads and self.exchange(address, _ANSWER_S):
                self._office.note_deposed()

    def exchange(self, address: str, within_s: float) -> bool:
        """Says who leads to another node and hears what it knows; whether it has answered."""
        endpoint = parse_endpoint(address)
        if endpoint is None:
            return True
        # Who does not lead itself asks rather than tells: what it knows may be out of date.
        leader = self._serving if self._office.leads else ""
        claim = Claim(self._office.epoch, leader or "?")
        signature = sign_claim(self._identity, self._bank, claim)
        try:
            with Channel(*endpoint, within_s) as channel:
                reply = channel.ask(f"FT {claim.epoch} {claim.leader} {signature}").decode()
            code, epoch, leader, signed = reply.split(" ")
            heard = Claim(int(epoch), leader)
        except (BankError, ValueError):
            return False
        if code != "FT" or not is_proven(heard, self._bank, self._identity.key, signed):
            return False
        self._learn(heard)
        return True
