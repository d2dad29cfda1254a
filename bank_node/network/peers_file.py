"""What the directory remembers from one run to the next: a small JSON file in the data folder.

Only what helps the next start is kept: where banks were and how they spoke. It is a convenience,
so a file that cannot be read is set aside with a warning and the node starts without it.
"""

import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from bank_node.errors import Refused
from bank_node.network.peers import ROWS_MAX, Peer, State
from bank_node.values import one_line, parse_bank_code

_log = logging.getLogger(__name__)

# A row has about 300 bytes; what is far bigger was not written by a node.
_BYTES_MAX = 64_000_000

_Text = Annotated[str, msgspec.Meta(max_length=200)]


class _Row(msgspec.Struct, frozen=True):
    """One peer; times are seconds since the epoch, because others mean nothing to the next run."""

    code: _Text
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    heard: float
    introduced: float | None = None
    name: _Text = ""
    version: _Text = ""
    capabilities: Annotated[list[_Text], msgspec.Meta(max_length=100)] = []
    oddities: Annotated[list[_Text], msgspec.Meta(max_length=100)] = []
    latency_ms: float | None = None


class _Document(msgspec.Struct, frozen=True):
    """The whole file."""

    format: Literal["bank peers"]
    version: Literal[1]
    peers: Annotated[list[_Row], msgspec.Meta(max_length=ROWS_MAX)]


def save_peers(path: Path, peers: Iterable[Peer], now: float, wall: float) -> None:
    """Writes the peers that once answered; whoever reads finds the old file or the new one.

    `now` is the monotonic time of the rows, `wall` the same moment in seconds since the epoch.
    Raises OSError.
    """
    rows = [row for peer in peers if (row := _row(peer, wall - now)) is not None]
    text = msgspec.json.encode(_Document("bank peers", 1, rows))
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(msgspec.json.format(text, indent=1) + b"\n")
    os.replace(beside, path)


def load_peers(path: Path, now: float, wall: float) -> list[Peer]:
    """The peers of an earlier run as known ones; none if there is no file or no good one."""
    try:
        with path.open("rb") as file:
            text = file.read(_BYTES_MAX)
        document = msgspec.json.decode(text, type=_Document)
        return [_peer(row, now - wall, now) for row in document.peers]
    except FileNotFoundError:
        return []
    except OSError as error:
        _log.warning("%s cannot be read, starting without it: %s", path, error)
    except (msgspec.DecodeError, UnicodeDecodeError, Refused, RecursionError) as error:
        _set_aside(path, error)
    return []


def _row(peer: Peer, to_wall: float) -> _Row | None:
    if peer.port is None or peer.heard_at is None or peer.state is State.FORGOTTEN:
        return None
    introduced_at = peer.introduced_at
    return _Row(
        peer.code,
        peer.port,
        round(peer.heard_at + to_wall, 3),
        None if introduced_at is None else round(introduced_at + to_wall, 3),
        peer.name,
        peer.version,
        sorted(peer.capabilities),
        sorted(peer.oddities),
        None if peer.latency_ms is None else round(peer.latency_ms, 3),
    )


def _peer(row: _Row, to_monotonic: float, now: float) -> Peer:
    introduced = row.introduced
    return Peer(
        parse_bank_code(row.code.encode("utf-8", "replace")),
        row.port,
        State.KNOWN,
        now,
        name=one_line(row.name),
        version=one_line(row.version),
        capabilities=frozenset(map(one_line, row.capabilities)),
        oddities=frozenset(map(one_line, row.oddities)),
        introduced_at=None if introduced is None else min(now, introduced + to_monotonic),
        latency_ms=row.latency_ms,
        heard_at=min(now, row.heard + to_monotonic),
    )


def _set_aside(path: Path, error: Exception) -> None:
    aside = path.with_name(path.name + ".broken")
    with suppress(OSError):
        os.replace(path, aside)
    _log.warning("%s is no list of peers, now %s: %s", path, aside.name, one_line(str(error)))
