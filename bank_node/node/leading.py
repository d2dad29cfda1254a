"""The leader's side: one thread that hands blocks to followers and hears what they have on disk.

A follower that is close gets blocks from memory as they become durable; one that is far behind
gets them from the store.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

import msgspec

from bank_node.errors import Reason, Refused
from bank_node.ledger.journal import EMPTY_HEAD, Block, Head, head_of
from bank_node.ledger.office import Claim, Office
from bank_node.ledger.quorum import Quorum
from bank_node.ledger.shipping import Delivery, Request, continues, pack
from bank_node.ledger.store import Store
from bank_node.security.identity import Identity
from bank_node.telemetry.clock import Clock

_log = logging.getLogger(__name__)

_FOLLOWERS_MAX = 16
# Enough for a follower that was held up for a moment at full load.
_BLOCKS_KEPT = 512
# How long followers of a leader that stops still wait for its last blocks.
_FAREWELL_S = 0.1

Done = Callable[[str | Refused], None]


class Asking(NamedTuple):
    """A follower's request that waits for a block."""

    request: Request
    signature: str
    deadline_ns: int
    done: Done


class Farewell(NamedTuple):
    """The leader stops: nobody waits longer than until then."""

    deadline_ns: int


class Seen(NamedTuple):
    """What is known of a follower."""

    serving: str
    height: int
    at_us: int


class Feeder:
    """Answers the requests of followers on a thread of its own."""

    def __init__(
        self,
        store: Store,
        office: Office,
        identity: Identity,
        bank: str,
        quorum: Quorum | None,
        deposed: Callable[[Claim], object],
        new_number: Callable[[], int],
        clock: Clock,
    ) -> None:
        """`deposed` is told when a follower shows that another node leads."""
        self._store = store
        self._office = office
        self._identity = identity
        self._bank = bank
        self._quorum = quorum
        self._deposed = deposed
        self._new_number = new_number
        self._clock = clock
        self._inbox: SimpleQueue[Asking | Block | Farewell | None] = SimpleQueue()
        self._farewell_ns: int | None = None
        self._recent: deque[Block] = deque(maxlen=_BLOCKS_KEPT)
        self._waiting: list[Asking] = []
        self._listening = False
        self._numbers: dict[str, int] = {}
        self.followers: dict[str, Seen] = {}
        self._thread = Thread(target=self._run, name="followers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def hush(self) -> None:
        """Lets followers wait only a moment more: the node stops, and is not to wait for them."""
        self._inbox.put(Farewell(self._clock.monotonic_ns() + int(_FAREWELL_S * 1e9)))

    def stop(self) -> None:
        """Answers nobody any more."""
        self._inbox.put(None)

    def published(self, block: Block) -> None:
        """A block is durable; called on the ledger thread, so it costs next to nothing."""
        if self._listening:
            self._inbox.put(block)

    def ask(self, asking: Asking) -> None:
        """Has a request answered; from any thread."""
        self._inbox.put(asking)

    def _run(self) -> None:
        while True:
            try:
                if not self._round():
                    return
            except Exception:
                _log.exception("a follower could not be served")

    def _round(self) -> bool:
        """Takes in what has come, and answers what can be; False at the end."""
        came = self._gather()
        for each in came:
            if each is None:
                return False
            if isinstance(each, Block):
                if self._recent and each.height != self._recent[-1].height + 1:
                    self._recent.clear()
                self._recent.append(each)
            elif isinstance(each, Farewell):
                self._farewell_ns = each.deadline_ns
            else:
                self._guarded(each.done, partial(self._admit, each))
        head, now_ns = self._store.head, self._clock.monotonic_ns()
        waiting, self._waiting = self._waiting, []
        for asking in waiting:
            if asking.request.height < head.height or now_ns >= self._due_ns(asking):
                self._guarded(asking.done, partial(self._answer, asking))
            else:
                self._waiting.append(asking)
        return True

    def _due_ns(self, asking: Asking) -> int:
        """When a follower is answered although there is nothing for it."""
        farewell_ns = self._farewell_ns
        return asking.deadline_ns if farewell_ns is None else min(asking.deadline_ns, farewell_ns)

    def _gather(self) -> list[Asking | Block | Farewell | None]:
        came: list[Asking | Block | Farewell | None] = []
        deadline_ns = min(map(self._due_ns, self._waiting), default=None)
        try:
            if deadline_ns is None:
                came.append(self._inbox.get())
            else:
                left_s = (deadline_ns - self._clock.monotonic_ns()) / 1e9
                came.append(self._inbox.get(timeout=max(0.0, left_s)))
            while True:
                came.append(self._inbox.get_nowait())
        except Empty:
            return came

    def _guarded(self, done: Done, work: Callable[[], object]) -> None:
        """Turns what goes wrong with one follower into its answer."""
        try:
            work()
        except Refused as refused:
            self._tell(done, refused)
        except Exception:
            _log.exception("a follower could not be served")
            self._tell(done, Refused(Reason.INTERNAL))

    def _tell(self, done: Done, answer: str | Refused) -> None:
        try:
            done(answer)
        except RuntimeError:
            _log.debug("a follower does not wait any more")

    def _admit(self, asking: Asking) -> None:
        """Takes a proven request in; raises Refused for any other."""
        request = asking.request
        if not request.is_signed(self._bank, self._identity.key, asking.signature):
            raise Refused(Reason.NOT_THIS_BANK, bank=self._bank)
        if request.epoch > self._office.epoch:
            self._deposed(Claim(request.epoch, ""))
        if not request.number or self._numbers.get(request.node) != request.number:
            self._answer(asking, is_empty=True)
            return
        self._check_office()
        self._check_history(request)
        self._office.note_follower(request.serving)
        self.followers[request.node] = Seen(request.serving, request.height, self._clock.now_us())
        if self._quorum is not None:
            self._quorum.confirmed(request.node, request.height)
        # Blocks are heard of from now on; those before are in the store.
        self._listening = True
        self._waiting.append(asking)

    def _check_office(self) -> None:
        if not self._office.leads:
            raise Refused(Reason.NOT_LEADER, leader=self._office.leader or "?")

    def _check_history(self, request: Request) -> None:
        """Raises Refused unless the follower's last block is one of this ledger."""
        if request.height > self._store.head.height:
            raise Refused(Reason.HISTORIES_PART, height=request.height)
        if not continues(self._head_at(request.height), request):
            raise Refused(Reason.HISTORIES_PART, height=request.height)

    def _head_at(self, height: int) -> Head:
        if height == 0:
            return EMPTY_HEAD
        head = self._store.head
        if head.height == height:
            return head
        return head_of(next(iter(self._blocks(height - 1))))

    def _blocks(self, after_height: int) -> Iterable[Block]:
        recent = self._recent
        if recent and recent[0].height <= after_height + 1 <= recent[-1].height:
            skipped = after_height + 1 - recent[0].height
            return list(recent)[skipped:]
        return self._store.blocks(after_height)

    def _answer(self, asking: Asking, *, is_empty: bool = False) -> None:
        request = asking.request
        # Also one that was deposed while the follower waited.
        self._check_office()
        if request.node not in self._numbers and len(self._numbers) >= _FOLLOWERS_MAX:
            raise Refused(Reason.TOO_BUSY)
        number = self._numbers[request.node] = self._new_number()
        height = self._store.head.height
        blocks = "" if is_empty or request.height >= height else pack(self._blocks(request.height))
        delivery = Delivery(self._office.epoch, number, height, blocks)
        signed = delivery.signed(self._identity, self._bank, request)
        self._tell(asking.done, msgspec.json.encode(signed).decode())
