"""The round of a witness: visits the banks around, keeps their heads, and files evidence.

One thread that sleeps most of the time. What is judged, and how, is `banking.witness`; this knows
the files, the keys and the network.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Annotated, Literal, Protocol

import msgspec

from bank_node.banking.witness import BANKS_MAX, Finding, Record, Witness
from bank_node.config import EVIDENCE_FOLDER, HEADS_FILE
from bank_node.ledger.proofs import (
    ProofRefused,
    SignedHead,
    check_head,
    parse_document,
    to_json,
)
from bank_node.network.client import Answer, Endpoint, Kind
from bank_node.network.peers import Peer
from bank_node.security.files import write_private
from bank_node.security.keyring import Keyring
from bank_node.values import BankCode, one_line

_log = logging.getLogger(__name__)

# Peers that can be asked for proofs announce this.
_CAPABILITY = "ledger"
# For one question; nobody waits for the answer.
_WITHIN_S = 3.0
_BYTES_MAX = 64_000_000


class Around(Protocol):
    """The banks around, as the node hands them over."""

    def peers(self) -> Iterable[Peer]:
        """Those that answer."""

    def ask(self, endpoint: Endpoint, line: str, within_s: float) -> Answer | None:
        """One question; blocks."""


class _Row(msgspec.Struct, frozen=True, omit_defaults=True):
    bank: str
    kept: SignedHead | None = None
    heard: SignedHead | None = None


class _Document(msgspec.Struct, frozen=True):
    format: Literal["bank heads"]
    version: Literal[1]
    heads: Annotated[list[_Row], msgspec.Meta(max_length=BANKS_MAX)]


class Watch:
    """A witness with its thread."""

    def __init__(
        self,
        around: Around,
        keyring: Keyring,
        folder: Path,
        every_s: float,
        now_us: Callable[[], int],
    ) -> None:
        """Files go into `folder`; `every_s` of 0 makes no rounds."""
        self._around = around
        self._keyring = keyring
        self._file = folder / HEADS_FILE
        self._evidence = folder / EVIDENCE_FOLDER
        self._every_s = every_s
        self._now_us = now_us
        self._witness = Witness(_load(self._file))
        self._stopping = Event()
        self._told: dict[BankCode, str] = {}
        self._turn = 0
        self._own: BankCode | None = None
        self._own_key = ""
        self._seen: Callable[[SignedHead], object] | None = None
        self.found: Callable[[BankCode], object] = lambda _: None
        """Hears of each bank that does not keep to its history; may be replaced at any time."""
        self._thread = Thread(target=self._run, name="witness", daemon=True)

    def concerns(self, own: BankCode, key: str, seen: Callable[[SignedHead], object]) -> None:
        """Before `start`: `seen` is told what others have seen of this bank, signed by it."""
        self._own, self._own_key, self._seen = own, key, seen

    def head_of(self, bank: BankCode) -> SignedHead | None:
        """The latest head of a bank that was proven to this one. From any thread."""
        return self._witness.head_of(bank)

    def start(self) -> None:
        if self._every_s:
            self._thread.start()

    def stop(self) -> None:
        """Begins no further visit; one that is under way is left to its own deadline."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            try:
                self.make_round()
            except Exception:
                _log.exception("a round of the witness failed")

    def make_round(self) -> list[Finding]:
        """Visits every bank once; returns what was found, which is logged and filed as well."""
        before = self._witness.records()
        findings = []
        for peer in self._trusted():
            if self._stopping.is_set():
                break
            for finding in (self._visit(peer), self._hear(peer)):
                if finding is not None:
                    findings.append(finding)
                    self._report(finding)
                    self.found(finding.bank)
            self._hear_of_ourselves(peer)
        if self._witness.records() is not before:
            self._save()
        self._turn += 1
        return findings

    def _trusted(self) -> Iterator[Peer]:
        """The peers that can be asked, and whose key is the pinned one."""
        for peer in self._around.peers():
            if _CAPABILITY not in peer.capabilities or peer.port is None or not peer.key:
                continue
            try:
                is_pinned = self._keyring.offer(peer.code, peer.key, self._now_us())
            except OSError as error:
                _log.warning("the key of the bank %s cannot be kept: %s", peer.code, error)
                continue
            if is_pinned:
                yield peer
            else:
                self._tell(
                    logging.WARNING,
                    peer.code,
                    f"the bank {peer.code} shows another key than before, {peer.key}; "
                    "it is not trusted until the operator accepts the key",
                )

    def _visit(self, peer: Peer) -> Finding | None:
        question = self._witness.question(peer.code)
        found = self._question(peer, question)
        if found is None and question.count(" ") > 1:
            # That was about a head that others told of; now for what is new.
            found = self._question(peer, self._witness.question(peer.code))
        return found

    def _question(self, peer: Peer, question: str) -> Finding | None:
        answer = self._ask(peer, question)
        if answer is not None and answer.kind is not Kind.DONE and question != "LH":
            answer = self._ask(peer, "LH")
        if answer is None or answer.kind is not Kind.DONE:
            return None
        return self._witness.answered(peer.code, peer.key, answer.text)

    def _hear(self, peer: Peer) -> Finding | None:
        """Asks one bank what it has seen of another one, of a different one each time."""
        others = sorted(set(self._witness.records()) - {peer.code})
        if not others:
            return None
        bank = others[self._turn % len(others)]
        key = self._keyring.key_of(bank)
        answer = self._ask(peer, f"LW {bank}")
        if key is None or answer is None or answer.kind is not Kind.DONE:
            return None
        return self._witness.told(bank, key, answer.text.partition(" ")[2])

    def _hear_of_ourselves(self, peer: Peer) -> None:
        """Another node of this bank may lead it meanwhile, and has shown itself to others."""
        if self._seen is None:
            return
        answer = self._ask(peer, f"LW {self._own}")
        if answer is None or answer.kind is not Kind.DONE:
            return
        try:
            head = parse_document(answer.text.partition(" ")[2])
            if isinstance(head, SignedHead) and head.bank == self._own:
                check_head(head, self._own_key)
                self._seen(head)
        except ProofRefused as error:
            _log.warning("what %s has seen of this bank: %s", peer.code, error)

    def _ask(self, peer: Peer, line: str) -> Answer | None:
        assert peer.port is not None
        return self._around.ask(Endpoint(peer.code, peer.port), line, _WITHIN_S)

    def _report(self, finding: Finding) -> None:
        if finding.evidence is None:
            self._tell(logging.WARNING, finding.bank, finding.text)
            return
        path = self._evidence / f"{finding.bank}-{finding.evidence.first.size}.json"
        if not path.exists():
            try:
                write_private(path, to_json(finding.evidence).encode() + b"\n")
            except OSError as error:
                _log.error("the evidence %s cannot be written: %s", path, error)
        self._tell(logging.ERROR, finding.bank, f"{finding.text}; the evidence is {path}")

    def _tell(self, level: int, bank: BankCode, text: str) -> None:
        """Logs what is not known already; a fault is met again at every round."""
        if self._told.get(bank) != text:
            self._told[bank] = text
            _log.log(level, "%s", one_line(text))

    def _save(self) -> None:
        rows = [_Row(bank, r.kept, r.heard) for bank, r in sorted(self._witness.records().items())]
        text = msgspec.json.encode(_Document("bank heads", 1, rows))
        try:
            write_private(self._file, msgspec.json.format(text, indent=1) + b"\n")
        except OSError as error:
            _log.warning("the heads of other banks cannot be kept: %s", error)


def _load(path: Path) -> list[tuple[BankCode, Record]]:
    try:
        with path.open("rb") as file:
            document = msgspec.json.decode(file.read(_BYTES_MAX), type=_Document)
    except FileNotFoundError:
        return []
    except OSError as error:
        _log.warning("%s cannot be read, starting without it: %s", path, error)
        return []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        aside = path.with_name(path.name + ".broken")
        with suppress(OSError):
            os.replace(path, aside)
        _log.warning("%s is no list of heads, now %s: %s", path, aside.name, one_line(str(error)))
        return []
    return [(BankCode(row.bank), Record(row.kept, row.heard)) for row in document.heads]
