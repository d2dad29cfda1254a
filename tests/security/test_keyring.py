"""Pinned on first use; a changed key waits for the operator; the file is whole or refused."""

import json

import pytest

from bank_node.errors import StartupError
from bank_node.security.identity import new_identity
from bank_node.security.keyring import Keyring, Pin

BANK, OTHER = "10.0.0.1", "10.0.0.2"
FIRST, SECOND, THIRD = (new_identity(bytes([n]) * 32).key for n in (1, 2, 3))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.json"


@pytest.fixture
def ring(path):
    return Keyring(path)


def test_the_first_key_of_a_bank_is_pinned(ring):
    assert ring.key_of(BANK) is None
    assert ring.offer(BANK, FIRST, 5)
    assert ring.key_of(BANK) == FIRST
    assert ring.offer(BANK, FIRST, 6)
    assert ring.pins() == [Pin(BANK, FIRST, 5)]
    assert ring.key_of(OTHER) is None


def test_a_changed_key_is_refused_until_the_operator_accepts_it(ring):
    ring.offer(BANK, FIRST, 1)
    assert not ring.offer(BANK, SECOND, 2)
    assert not ring.offer(BANK, SECOND, 3)
    assert ring.key_of(BANK) == FIRST
    assert ring.offer(BANK, FIRST, 4), "the right key is taken all the while"
    assert ring.changed() == [Pin(BANK, FIRST, 1, SECOND, 2)]
    assert ring.accept(BANK, SECOND, 5)
    assert (ring.key_of(BANK), ring.changed()) == (SECOND, [])
    assert not ring.offer(BANK, FIRST, 6)


def test_only_the_key_that_is_offered_now_can_be_accepted(ring):
    ring.offer(BANK, FIRST, 1)
    ring.offer(BANK, SECOND, 2)
    ring.offer(BANK, THIRD, 3)
    assert not ring.accept(BANK, SECOND, 4)
    assert not ring.accept(OTHER, SECOND, 4)
    assert ring.key_of(BANK) == FIRST


def test_a_forgotten_bank_starts_anew(ring):
    ring.offer(BANK, FIRST, 1)
    assert ring.forget(BANK)
    assert not ring.forget(BANK)
    assert ring.offer(BANK, SECOND, 2)


@pytest.mark.parametrize("key", ["", "x", FIRST + "A", "é" * 43])
def test_what_is_no_key_is_neither_pinned_nor_kept(ring, key):
    assert not ring.offer(BANK, key, 1)
    assert ring.pins() == []
    ring.offer(BANK, FIRST, 1)
    assert not ring.offer(BANK, key, 1)
    assert ring.changed() == []


def test_pins_outlive_the_process(ring, path):
    ring.offer(BANK, FIRST, 1)
    ring.offer(OTHER, SECOND, 2)
    ring.offer(OTHER, THIRD, 3)
    assert (
        Keyring(path).pins()
        == ring.pins()
        == [Pin(BANK, FIRST, 1), Pin(OTHER, SECOND, 2, THIRD, 3)]
    )
    ring.forget(BANK)
    assert Keyring(path).pins() == ring.pins()


def test_a_key_that_cannot_be_kept_does_not_count(path, ring):
    ring.offer(BANK, FIRST, 1)
    path.with_name(path.name + ".new").mkdir()
    with pytest.raises(OSError):
        ring.offer(OTHER, SECOND, 1)
    assert ring.key_of(OTHER) is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        json.dumps({"format": "bank keys", "version": 2, "keys": []}).encode(),
        *(
            json.dumps({"format": "bank keys", "version": 1, "keys": [row]}).encode()
            for row in (
                {"bank": "10.0.0.01", "key": FIRST, "since_us": 1},
                {"bank": BANK, "key": "x", "since_us": 1},
                {"bank": BANK, "key": "", "since_us": 1},
                {"bank": BANK, "key": FIRST, "since_us": 1, "offered": "x"},
            )
        ),
    ],
)
def test_a_file_that_is_not_understood_stops_the_start(path, text):
    path.write_bytes(text)
    with pytest.raises(StartupError):
        Keyring(path)
    assert path.read_bytes() == text
