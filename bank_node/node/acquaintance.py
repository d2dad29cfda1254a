"""What must be known of another bank before money moves: where it is, what it speaks, its key."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from bank_node.errors import Reason
from bank_node.network.neighbourhood import Neighbourhood
from bank_node.network.peers import Peer
from bank_node.security.keyring import Keyring
from bank_node.values import BankCode

_log = logging.getLogger(__name__)

# A bank that was found a moment ago is still being asked what it speaks.
_INTRODUCTION_S = 1.5
_LOOK_S = 0.03
_FIND_S = 3.0
# Nodes of our kind announce this.
_TWO_PHASE = "commit"
_CURRENCY = "currency="


class Acquaintance:
    """The directory and the keyring, as transfers need them."""

    def __init__(
        self, around: Neighbourhood, keyring: Keyring, now_us: Callable[[], int], currency: str
    ) -> None:
        """`currency` is that of this bank."""
        self._currency = currency
        self._around = around
        self._keyring = keyring
        self._now_us = now_us
        self._learning: dict[BankCode, list[Callable[[str | None], object]]] = {}

    def may_dial(self, bank: BankCode) -> bool:
        """Whether a bank is within reach at all."""
        return self._around.reach.allows(bank)

    def key_of(self, bank: BankCode) -> str | None:
        """The key that counts for a bank, None while none is known.

        None, too, for a bank that shows another key than the one that counts.
        """
        pinned = self._keyring.key_of(bank)
        if pinned:
            return pinned
        peer = self._around.directory.get(bank)
        return self._pinned(peer) if peer else None

    def _pinned(self, peer: Peer) -> str | None:
        if not peer.key:
            return None
        try:
            is_right = self._keyring.offer(peer.code, peer.key, self._now_us())
        except OSError as error:
            _log.warning("the key of the bank %s cannot be kept: %s", peer.code, error)
            return None
        return peer.key if is_right else None

    def is_classic(self, peer: Peer) -> bool | None:
        """Whether a bank knows deposits only; None while nobody knows.

        One whose key is pinned is of our kind, whatever it seems to be at the moment: a bank that
        was too busy to introduce itself must not be paid as a stranger is, because its books
        would not know of what is owed.
        """
        if _TWO_PHASE in peer.capabilities or self._keyring.key_of(peer.code):
            return False
        is_odd = peer.oddities or peer.said
        return None if peer.introduced_at is None and not is_odd else True

    def why_no_transfer(self, peer: Peer | None) -> Reason | None:
        """Why no units can be moved to a bank as they are here; None if they can."""
        if peer is None:
            return Reason.BANK_NOT_FOUND
        if self.is_classic(peer) is None:
            return Reason.BANK_SILENT
        for word in peer.capabilities:
            if word.startswith(_CURRENCY):
                is_same = word[len(_CURRENCY) :] == self._currency
                return None if is_same else Reason.OTHER_CURRENCY
        return None

    def meet(
        self,
        loop: asyncio.AbstractEventLoop,
        bank: BankCode,
        within_s: float,
        done: Callable[[Peer | None], object],
    ) -> None:
        """Finds a bank and what it speaks; `done` is called on `loop`, at once if it is known."""
        peer = self._around.directory.verified(bank)
        if peer is not None and peer.introduced_at is not None:
            done(peer)
            return
        if peer is not None:
            self._introduced(loop, peer, loop.time() + min(within_s, _INTRODUCTION_S), done)
            return

        def found(peer: Peer | None) -> None:
            if peer is None:
                done(None)
            else:
                self._introduced(loop, peer, loop.time() + _INTRODUCTION_S, done)

        def tell(peer: Peer | None) -> None:
            try:
                loop.call_soon_threadsafe(found, peer)
            except RuntimeError:
                _log.debug("nobody waits for the bank %s any more", bank)

        self._around.find(bank, within_s, tell)

    def _introduced(
        self,
        loop: asyncio.AbstractEventLoop,
        peer: Peer,
        until: float,
        done: Callable[[Peer | None], object],
    ) -> None:
        peer = self._around.directory.get(peer.code) or peer
        if peer.introduced_at is not None or loop.time() >= until:
            done(peer)
        else:
            loop.call_later(_LOOK_S, self._introduced, loop, peer, until, done)

    def learn_key(
        self,
        loop: asyncio.AbstractEventLoop,
        bank: BankCode,
        done: Callable[[str | None], object],
    ) -> None:
        """The key of a bank that was not met yet; `done` is called on `loop`."""
        if not self.may_dial(bank):
            done(None)
            return
        waiting = self._learning.setdefault(bank, [])
        waiting.append(done)
        if len(waiting) == 1:
            self.meet(loop, bank, _FIND_S, partial(self._learnt, bank))

    def _learnt(self, bank: BankCode, peer: Peer | None) -> None:
        key = self._pinned(peer) if peer else None
        for done in self._learning.pop(bank):
            done(key)
