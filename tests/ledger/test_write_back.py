"""A copy is brought to the disk piece by piece, and an error on the way is never swallowed."""

import errno
import os

import pytest

from bank_node.ledger import write_back as room
from bank_node.ledger.write_back import write_back

PIECE = 256 * 1024


@pytest.fixture
def copy(tmp_path):
    with (tmp_path / "copy").open("w+b") as file:
        file.write(os.urandom(2 * PIECE + 1))
        file.flush()
        yield file.fileno()


def tell(monkeypatch, problem):
    """Has the system write nothing and tell of a problem; returns the offsets it was asked for."""
    asked = []

    def write(_file, offset, _length):
        asked.append(offset)
        return problem

    monkeypatch.setattr(room, "_range_writer", lambda: write)
    return asked


def syncs(monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    return synced


def test_others_have_the_disk_after_each_piece(monkeypatch, copy):
    asked, synced, pauses = tell(monkeypatch, 0), syncs(monkeypatch), []
    write_back(copy, pauses.append)
    assert asked == [0, PIECE, 2 * PIECE]
    assert len(pauses) == 3
    assert min(pauses) > 0
    assert synced == [copy]


@pytest.mark.parametrize("problem", [errno.EIO, errno.ENOSPC])
def test_a_piece_that_cannot_be_written_fails_the_whole(monkeypatch, copy, problem):
    synced = syncs(monkeypatch)
    tell(monkeypatch, problem)
    with pytest.raises(OSError) as caught:
        write_back(copy, lambda _seconds: None)
    assert caught.value.errno == problem
    assert not synced


def test_a_file_system_without_pieces_is_asked_for_the_whole(monkeypatch, copy):
    asked, synced = tell(monkeypatch, errno.EINVAL), syncs(monkeypatch)
    write_back(copy, lambda _seconds: None)
    assert asked == [0]
    assert synced == [copy]


def test_a_system_without_such_a_call_syncs(monkeypatch, copy):
    synced = syncs(monkeypatch)
    monkeypatch.setattr(room, "_range_writer", lambda: None)
    write_back(copy, lambda _seconds: None)
    assert synced == [copy]


def test_what_this_system_writes_of_a_closed_file_is_an_error(tmp_path):
    write = room._range_writer()
    if write is None:
        pytest.skip("this system cannot write a part of a file")
    with (tmp_path / "file").open("wb") as file:
        number = file.fileno()
    assert write(number, 0, PIECE) == errno.EBADF
