"""`bank prove` and `bank verify-proof`: what a bank says of its ledger, and whether it holds."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bank_node.cli.options import FILE, HOST_PORT, effective, settings_options
from bank_node.cli.words import counted
from bank_node.errors import BankError, Refused, StartupError
from bank_node.network.client import Client, Endpoint

if TYPE_CHECKING:
    from bank_node.ledger.archive import Archive
    from bank_node.ledger.journal import Block
    from bank_node.ledger.log import Log
    from bank_node.ledger.proofs import Document, Proven
    from bank_node.ledger.transfers import Transfer

_EXIT_NOT_PROVEN = 1
_TIMEOUT_S = 30.0


class _ArchivedBlocks:
    """The blocks of a ledger that is looked at from outside."""

    def __init__(self, archive: "Archive") -> None:
        self.blocks = archive.journal

    def block_of(self, entry: int) -> "Block | None":
        return next((b for b in self.blocks() if b.first_entry <= entry <= b.last_entry), None)


@click.command()
@settings_options
@click.option("--entry", type=click.IntRange(1), help="Prove that this entry is in the ledger.")
@click.option("--account", type=int, help="Prove the latest entry of this account.")
@click.option(
    "--since", type=click.IntRange(1), help="Prove that the ledger begins with its first blocks."
)
@click.option("--connect", type=HOST_PORT, help="Ask a bank instead of reading its files.")
@click.option("--output", type=FILE, help="The file to write; stdout without it.")
def prove(
    config: Path | None,
    data: Path | None,
    store: str | None,
    entry: int | None,
    account: int | None,
    since: int | None,
    connect: Endpoint | None,
    output: Path | None,
) -> None:
    """Write a proof that anyone can check without the bank, as JSON.

    Without --entry, --account or --since it is the signed head of the ledger alone. Works while
    the node serves, and needs the key of the bank in its data folder unless it asks the bank.
    """
    if sum(given is not None for given in (entry, account, since)) > 1:
        raise click.UsageError("--entry, --account and --since exclude each other")
    if connect is not None:
        text = _asked(connect, entry, account, since)
    else:
        text = _from_files(config, data, store, entry, account, since)
    if output is None:
        click.echo(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")


def _asked(connect: Endpoint, entry: int | None, account: int | None, since: int | None) -> str:
    with Client(*connect, _TIMEOUT_S) as bank:
        if account is not None:
            own = _reply(bank, "BC")
            entry = int(_reply(bank, f"LL {account}/{own}"))
        if entry is not None:
            return _reply(bank, f"LP {entry}")
        return _reply(bank, f"LC {since}" if since is not None else "LH")


def _reply(bank: Client, line: str) -> str:
    """What a bank answers behind the code of the command. Raises BankError for an ER."""
    code, _, told = bank.call(line).partition(" ")
    if code.upper() != line[:2]:
        raise BankError(f"the bank does not prove it: {told}")
    return told


def _from_files(
    config: Path | None,
    data: Path | None,
    store: str | None,
    entry: int | None,
    account: int | None,
    since: int | None,
) -> str:
    from bank_node.ledger.proofs import to_json

    settings = effective(config, data, store).settings
    from bank_node.node import open_archive

    archive = open_archive(settings)
    if account is not None:
        entry = _latest(archive, account)
    log = _log(settings, archive)
    document: Document
    try:
        if entry is not None:
            document = log.inclusion(entry)
        elif since is not None:
            document = log.consistency(since, None)
        else:
            document = log.head()
    except Refused as refused:
        from bank_node.protocol.messages import Catalogue

        raise BankError(Catalogue("en").error(refused).removeprefix("ER ")) from None
    return to_json(document)


def _log(settings: Any, archive: "Archive") -> "Log":
    from bank_node.config import IDENTITY_FILE, data_folder
    from bank_node.ledger.log import Log
    from bank_node.node import own_code
    from bank_node.node.machine import CLOCK
    from bank_node.security.identity import read_identity

    identity = read_identity(data_folder(settings) / IDENTITY_FILE)
    return Log(_ArchivedBlocks(archive), own_code(settings), identity, CLOCK.now_us)


def _latest(archive: "Archive", number: int) -> int:
    for account in archive.accounts():
        if account.number == number:
            return account.last_entry
    raise StartupError(f"there is no account {number}")


@click.command("verify-proof")
@click.argument("file", type=click.File("rb"))
@click.option("--key", help="The key of the bank, as it shows it with VE.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify_proof(file: Any, key: str | None, as_json: bool) -> None:
    """Check a proof in FILE (- for stdin), without any bank. Exit code 0, or 1 if it fails.

    Without --key it is only certain that the owner of the key named in the proof has signed.
    """
    from bank_node.ledger.proofs import (
        DOCUMENT_BYTES_MAX,
        ProofRefused,
        check_document,
        parse_document,
    )

    try:
        document = parse_document(file.read(DOCUMENT_BYTES_MAX + 1).strip())
        proven = check_document(document, key)
    except ProofRefused as refused:
        _refuse(str(refused), as_json=as_json)
    if as_json:
        click.echo(json.dumps({"proven": True, **_data(document, proven)}))
        return
    for line in _told(document, proven, key):
        click.echo(line)


def _refuse(why: str, *, as_json: bool) -> NoReturn:
    told = json.dumps({"proven": False, "problem": why})
    click.echo(told if as_json else f"not proven: {why}")
    sys.exit(_EXIT_NOT_PROVEN)


def _told(document: "Document", proven: "Proven | None", key: str | None) -> Iterator[str]:
    from bank_node.ledger.proofs import Consistency, Inclusion, SignedHead

    if isinstance(document, SignedHead):
        head = document
        yield f"proven: the bank {head.bank} says that its ledger has {counted(head.size, 'block')}"
    elif isinstance(document, Inclusion):
        head = document.head
        assert proven is not None
        kind, debit, credit = _kind(proven), _side(proven.entry.debit), _side(proven.entry.credit)
        yield f"proven: entry {proven.sequence} is in the ledger of the bank {head.bank}"
        yield (
            f"{kind}: {proven.entry.amount} from {debit} to {credit}, at {_time(proven.time_us)}"
        )
        if proven.transfer:
            yield f"transfer {proven.transfer.key} of {proven.transfer.amount} is then " + (
                proven.transfer.state
            )
            if proven.transfer.evidence_entry:
                yield (
                    "the word of the other bank that led to it is kept with entry "
                    f"{proven.transfer.evidence_entry}"
                )
    elif isinstance(document, Consistency):
        head = document.second
        yield (
            f"proven: the ledger of the bank {head.bank} with {counted(head.size, 'block')} "
            f"begins with the one of {counted(document.first.size, 'block')}"
        )
    else:
        head = document.second
        yield (
            f"proven: the bank {head.bank} has lied, it signed two different ledgers of "
            f"{counted(head.size, 'block')}"
        )
    yield f"signed at {_time(head.time_us)} with the key {head.key}"
    if key is None:
        yield "is that the key of the bank? compare it with what it shows with VE, or use --key"


def _data(document: "Document", proven: "Proven | None") -> dict[str, Any]:
    from msgspec import to_builtins

    told: dict[str, Any] = {"proof": to_builtins(document)}
    if proven is not None:
        entry = {**proven.entry._asdict(), "kind": _kind(proven)}
        told["entry"] = {"number": proven.sequence, "time_us": proven.time_us, **entry}
        if proven.transfer:
            told["transfer"] = _record(proven.transfer)
    return told


def _kind(proven: "Proven") -> str:
    from bank_node.ledger.book import Kind

    try:
        return Kind(proven.entry.kind).name.lower()
    except ValueError:
        return f"kind {proven.entry.kind}"


def _record(transfer: "Transfer") -> dict[str, Any]:
    told = transfer._asdict()
    del told["entry"]
    names = {"role": transfer.role.name.lower(), "phase": transfer.phase.name.lower()}
    return told | names | {"evidence": transfer.evidence.hex()}


def _side(number: int) -> str:
    from bank_node.ledger.entries import CASH, HELD, bank_of, is_settlement

    if is_settlement(number):
        return f"the settlement account of {bank_of(number)}"
    return {CASH: "cash", HELD: "what is held"}.get(number, f"account {number}")


def _time(time_us: int) -> str:
    try:
        return datetime.fromtimestamp(time_us / 1_000_000, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return f"{time_us} us"
