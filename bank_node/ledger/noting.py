"""The rules of notes: how one is written, read, and taken over from a recorded block. Pure."""

from bank_node.errors import CorruptLedger, Reason
from bank_node.ledger.entries import ENTRY, Entry, Kind, is_client
from bank_node.ledger.notes import (
    BODY_BYTES_MAX,
    KEY_BYTES_MAX,
    Note,
    ReadNote,
    ReadNotes,
    decode,
    encode,
)
from bank_node.ledger.state import State

_NOTED = int(Kind.NOTED)
_ENTRY = ENTRY.pack(_NOTED, 0, 0, 0, 0, 0)
# What a NamedTuple's own constructor calls after half a microsecond of arranging arguments.
_new = tuple.__new__


def write(state: State, key: str, body: bytes, *, is_open: bool = True, guards: int = 0) -> Note:
    """Notes something down; whether it may be is the caller's business, within the limits above."""
    assert ":" in key, key
    assert len(key.encode()) <= KEY_BYTES_MAX, key
    assert len(body) <= BODY_BYTES_MAX, key
    before, previous = state.notes.get(key), 0
    if before is not None:
        previous = before.entry
    if guards or (before is not None and before.guards):
        assert _keeps_guard(before, guards, is_open=is_open), key
    state.sequence = sequence = state.sequence + 1
    note = _new(Note, (key, body, is_open, guards, previous, sequence))
    state.notes[key] = note
    if guards:
        state.guarded.add(guards)
    state.entries.append(_ENTRY + encode(note))
    return note


def _keeps_guard(before: Note | None, guards: int, *, is_open: bool) -> bool:
    """Whether a note guards what the one before it guarded, and stays at hand if it guards at all.

    A guard is never lifted: so none is lost when two notes guard one account, and the open notes
    alone tell all guards after a new start.
    """
    if before is not None and before.guards not in (0, guards):
        return False
    return is_open or not guards


def replay(state: State, entry: Entry, payload: bytes, sequence: int) -> Note:
    """Takes a recorded note over. Raises CorruptLedger if no rule allows it."""
    note = decode(payload, sequence)
    if entry != (_NOTED, 0, 0, 0, 0, 0):
        raise CorruptLedger(f"entry {sequence} breaks a rule of the ledger: {entry}")
    if ":" not in note.key or note.previous >= sequence:
        raise CorruptLedger(f"entry {sequence} breaks a rule of notes: {note.key}")
    known = state.notes.get(note.key)
    if known is not None and known.entry != note.previous:
        raise CorruptLedger(f"entry {sequence} does not follow the note before it: {note.key}")
    if not _keeps_guard(known, note.guards, is_open=note.is_open):
        raise CorruptLedger(f"entry {sequence} lifts a guard: {note.key}")
    if note.guards and (not is_client(note.guards) or note.guards not in state.accounts):
        raise CorruptLedger(f"entry {sequence} guards account {note.guards}, which is not open")
    state.sequence = sequence
    return note


def read_notes(state: State, operation: ReadNotes) -> tuple[Note | None, ...]:
    return tuple(map(state.notes.get, operation.keys))


def read_note(state: State, operation: ReadNote) -> Note | Reason:
    return state.notes.get(operation.key) or Reason.NO_SUCH_PAYMENT
