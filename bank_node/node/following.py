"""The follower's side: one thread that asks the leader for blocks and has them taken over.

A block that does not fit ends it for good; everything else is tried again. The blocks it asks for
next are those after what is on its disk, so asking is how it confirms.
"""

import logging
from collections.abc import Callable
from threading import Event, Thread
from typing import cast

from bank_node.errors import BankError, CorruptLedger, Refused, StoreError
from bank_node.ledger.office import Claim, Office
from bank_node.ledger.shipping import Delivery, Request, parse_delivery, unpack
from bank_node.ledger.store import FollowingStore
from bank_node.ledger.writer import Writer
from bank_node.network.channel import Channel
from bank_node.network.client import Unreachable, parse_endpoint
from bank_node.security.identity import Identity
from bank_node.telemetry.clock import Clock
from bank_node.values import BankCode, one_line, parse_bank_code

_log = logging.getLogger(__name__)

_AGAIN_S = 0.25
_AGAIN_MAX_S = 2.0
# The leader answers within its reply time even if there is nothing new; this is for a dead one.
_PATIENCE_S = 15.0
_ANSWER_S = 3.0


class _NotServed(BankError):
    """The leader gives no blocks; it may later."""


class Follower:
    """Keeps a store up to date with another node's."""

    def __init__(
        self,
        writer: Writer,
        store: FollowingStore,
        office: Office,
        identity: Identity,
        serving: Callable[[], str],
        clock: Clock,
        exchange: Callable[[str, float], object],
    ) -> None:
        """`serving` tells where this node serves; `exchange` asks a node who leads."""
        self._exchange = exchange
        self._writer = writer
        self._store = store
        self._office = office
        self._identity = identity
        self._serving = serving
        self._clock = clock
        self._stopping = Event()
        self._channel: Channel | None = None
        self._number = 0
        self.leader_height = 0
        self.lag_us = 0
        """From the decision of the last block at the leader to its place on this disk."""
        self.is_connected = False
        self.problem = ""
        """Why no blocks come; empty while they do."""
        self._thread = Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Takes over no more blocks once this has returned."""
        self._stopping.set()
        channel = self._channel
        if channel is not None:
            channel.hang_up()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE_S)

    def _run(self) -> None:
        pause_s = _AGAIN_S
        while not self._stopping.is_set():
            try:
                self._follow()
                pause_s = _AGAIN_S
            except (CorruptLedger, StoreError) as error:
                self._note(f"following has ended: {error}", logging.ERROR)
                return
            except (BankError, OSError) as error:
                if not self._stopping.is_set():
                    self._note(str(error), logging.WARNING)
            except Exception:
                _log.exception("following failed")
            self.is_connected = False
            self._stopping.wait(pause_s)
            pause_s = min(2 * pause_s, _AGAIN_MAX_S)

    def _follow(self) -> None:
        """Follows over one connection until it ends."""
        endpoint = parse_endpoint(self._office.leader)
        if endpoint is None:
            raise _NotServed(f"{self._office.leader!r} is no address of a leader")
        self._number = 0
        with Channel(*endpoint, _PATIENCE_S) as channel:
            self._channel = channel
            while not self._stopping.is_set():
                self._take(self._ask(channel))
                self.is_connected = True
                self._note("", logging.INFO)

    def _ask(self, channel: Channel) -> Delivery:
        head, office = self._store.head, self._office
        request = Request(
            office.node, office.epoch, head.height, head.hash.hex(), self._number, self._serving()
        )
        words = (*request, request.signature(self._identity, office.bank))
        reply = channel.ask(" ".join(("FB", *map(str, words))))
        code, _, text = reply.partition(b" ")
        if code != b"FB":
            # Perhaps it was deposed, and knows by whom.
            self._exchange(office.leader, _ANSWER_S)
            raise _NotServed(f"the leader {office.leader}: {text.decode('utf-8', 'replace')}")
        delivery = parse_delivery(text)
        if delivery is None or not delivery.is_signed(office.bank, self._identity.key, request):
            raise _NotServed(f"what {office.leader} delivers is not signed by this bank")
        if delivery.epoch < office.epoch:
            raise _NotServed(
                f"{office.leader} led the bank once, and does not know that it is over"
            )
        return delivery

    def _take(self, delivery: Delivery) -> None:
        self._number = delivery.number
        self._office.learn(Claim(delivery.epoch, self._office.leader))
        self.leader_height = delivery.height
        if not delivery.blocks:
            return
        blocks = unpack(delivery.blocks)
        self._writer.between(lambda: self._store.take(blocks))
        self.lag_us = max(0, self._clock.now_us() - blocks[-1].time_us)

    def _note(self, problem: str, level: int) -> None:
        if problem != self.problem:
            self.problem = one_line(problem)
            _log.log(level, "%s", self.problem or f"following {self._office.leader}")


def as_following(store: object) -> FollowingStore | None:
    """The store as one that can follow another node; None for one that nodes share."""
    return cast("FollowingStore", store) if hasattr(store, "take") else None


def learn_bank(leader: str, timeout_s: float) -> BankCode:
    """The code of the bank that a node keeps. Raises Unreachable."""
    endpoint = parse_endpoint(leader)
    if endpoint is None:
        raise Unreachable(f"{leader!r} is not HOST:PORT")
    with Channel(*endpoint, timeout_s) as channel:
        code, _, bank = channel.ask("BC").decode("utf-8", "replace").partition(" ")
    try:
        return parse_bank_code(bank.encode() if code == "BC" else b"")
    except Refused:
        raise Unreachable(f"{leader} is no bank") from None
