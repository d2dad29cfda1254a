"""The other banks that have payments: which one a handle belongs to, and what it says of a payee.

A handle counts only if exactly one verified bank, with the key that was pinned for it, has it or
one that looks like it: of two nobody can tell which one is meant, so neither is paid.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import msgspec

from bank_node.banking.payments.names import default_handle, likeness
from bank_node.banking.transfers.engine import Engine
from bank_node.banking.transfers.flights import Parcel, Told
from bank_node.errors import Reason, Refused
from bank_node.network.peers import Directory, Peer
from bank_node.node.acquaintance import Acquaintance
from bank_node.node.transfers import Transfers
from bank_node.service.calls import Elsewhere
from bank_node.service.payees import Provider, Resolved
from bank_node.telemetry.clock import Clock
from bank_node.values import BankCode, one_line

_log = logging.getLogger(__name__)

_PAYMENTS, _HANDLE, _CODE_KEY = "payments", "handle=", "codekey="
# Rows of the directory are read again after this, or at once for a handle that is not there.
_FRESH_NS = 500_000_000
# What a bank said of an address is checked again by that bank before it takes the money.
_REMEMBERED_NS = 5_000_000_000
_REMEMBERED_MAX = 20_000
_NO_SUCH_ADDRESS = b"ER U29"


class _Told(msgspec.Struct):
    """The reply to `PR`."""

    account: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{5}/")]
    currency: Annotated[str, msgspec.Meta(max_length=3)]
    state: Literal["active", "frozen"]
    name: Annotated[str, msgspec.Meta(max_length=60)] = ""
    category: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}$")] = "0000"


_decode = msgspec.json.Decoder(_Told).decode


class Providers:
    """See `service.payees.Around`."""

    def __init__(
        self,
        own: BankCode,
        own_handle: str,
        directory: Directory,
        acquaintance: Acquaintance,
        transfers: Transfers,
        cap_of: Callable[[BankCode], int],
        clock: Clock,
    ) -> None:
        self.cap_of = cap_of
        self._own_likeness = _likeness(own, own_handle)
        self._directory = directory
        self._acquaintance = acquaintance
        self._transfers = transfers
        self._now_ns = clock.monotonic_ns
        self._table: tuple[int, dict[str, Provider], dict[str, Provider]] | None = None
        self._remembered: dict[tuple[str, str], tuple[int, Resolved]] = {}
        self._complaints: set[str] = set()

    def provider_of(self, handle: str) -> Provider | None:
        found = self._read()[0].get(handle)
        return found or self._read(at_once=True)[0].get(handle)

    def provider_at(self, bank: BankCode) -> Provider | None:
        found = self._read()[1].get(bank)
        return found or self._read(at_once=True)[1].get(bank)

    def providers(self) -> Sequence[Provider]:
        return list(self._read()[1].values())

    def _read(self, *, at_once: bool = False) -> tuple[dict[str, Provider], dict[str, Provider]]:
        """The providers by their handles, and by their banks."""
        now_ns = self._now_ns()
        if self._table is None or at_once or now_ns - self._table[0] > _FRESH_NS:
            by_bank: dict[str, Provider] = {
                p.bank: p for p in map(self._provider, self._directory.banks()) if p
            }
            by_likeness: dict[str, Provider] = {}
            doubtful = {self._own_likeness}
            for provider in by_bank.values():
                like = _likeness(provider.bank, provider.handle)
                if by_likeness.setdefault(like, provider) is not provider:
                    doubtful.add(like)
                if like in doubtful:
                    self._complain(provider)
            by_handle = {p.handle: p for like, p in by_likeness.items() if like not in doubtful}
            self._table = (now_ns, by_handle, by_bank)
        return self._table[1:]

    def _provider(self, peer: Peer) -> Provider | None:
        if _PAYMENTS not in peer.capabilities:
            return None
        words = peer.capabilities
        handle = next((w[len(_HANDLE) :] for w in words if w.startswith(_HANDLE)), "")
        code_key = next((w[len(_CODE_KEY) :] for w in words if w.startswith(_CODE_KEY)), "")
        if not handle or not peer.key or self._acquaintance.key_of(peer.code) != peer.key:
            return None
        return Provider(peer.code, handle, code_key)

    def _complain(self, provider: Provider) -> None:
        if provider.bank not in self._complaints:
            self._complaints.add(provider.bank)
            _log.warning(
                "the bank %s has a handle that another bank has as well, or one like it, "
                "nobody is paid there: %s",
                provider.bank, one_line(provider.handle),
            )  # fmt: skip

    def remembered(self, bank: BankCode, payee: str) -> Resolved | None:
        known = self._remembered.get((bank, payee))
        return known[1] if known is not None and known[0] > self._now_ns() else None

    def resolve(
        self, bank: BankCode, payee: str, done: Callable[[Resolved | Refused], object]
    ) -> None:
        def answered(answer: bytes | Refused) -> None:
            told = _read_answer(bank, answer)
            if isinstance(told, Resolved):
                if len(self._remembered) >= _REMEMBERED_MAX:
                    self._remembered = {}
                self._remembered[bank, payee] = (self._now_ns() + _REMEMBERED_NS, told)
            done(told)

        self.ask(bank, f"PR {payee}".encode(), answered)

    def key_of(self, bank: BankCode) -> str | None:
        return self._acquaintance.key_of(bank)

    def ask(
        self,
        bank: BankCode,
        line: bytes,
        done: Callable[[bytes | Refused], object],
        within_s: float | None = None,
    ) -> None:
        def forward(_engine: Engine, proxy: Elsewhere, _now: float) -> None:
            heard = done if within_s is None else _in_time(done, within_s, bank)
            try:
                # Each question is a client of its own: none has to wait for another.
                proxy.forward(bank, line, 0, object(), heard)
            except Refused as refused:
                heard(refused)

        self._transfers.lend(forward)

    def carry(self, parcel: Parcel, within_s: float, told: Told) -> None:
        self._transfers.carry(parcel, within_s, told)


def _in_time(
    done: Callable[[bytes | Refused], object], within_s: float, bank: BankCode
) -> Callable[[bytes | Refused], object]:
    """Calls `done` once, with what comes first: an answer, or the end of the time."""
    waiting: list[Callable[[bytes | Refused], object]] = [done]

    def heard(answer: bytes | Refused) -> None:
        if waiting:
            timer.cancel()
            waiting.pop()(answer)

    late = Refused(Reason.BANK_SILENT, bank=bank)
    timer = asyncio.get_running_loop().call_later(within_s, heard, late)
    return heard


def _likeness(bank: BankCode, handle: str) -> str:
    """What counts as the same handle; one that a bank did not choose resembles its neighbours'."""
    return handle if handle == default_handle(bank) else likeness(handle)


def _read_answer(bank: BankCode, answer: bytes | Refused) -> Resolved | Refused:
    if isinstance(answer, Refused) or not answer.startswith(b"PR "):
        is_known = not isinstance(answer, Refused) and answer.startswith(_NO_SUCH_ADDRESS)
        return Refused(Reason.NO_SUCH_ADDRESS if is_known else Reason.PROVIDER_DOWN)
    try:
        told = _decode(answer[3:])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Refused(Reason.PROVIDER_DOWN)
    number, _, where = told.account.partition("/")
    if where != bank:
        return Refused(Reason.PROVIDER_DOWN)
    is_frozen = told.state == "frozen"
    return Resolved(int(number), one_line(told.name), told.category, told.currency, is_frozen)
