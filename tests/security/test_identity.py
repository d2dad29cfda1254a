"""A bank's key: made once, kept for its owner's eyes, and no signature fits anything else."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_node.errors import StartupError
from bank_node.security.identity import (
    from_text,
    is_key,
    is_signed,
    new_identity,
    obtain_identity,
    to_text,
)

# RFC 8032, section 7.1: the first and the third test vector.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
OURS = new_identity(b"1" * 32)
THEIRS = new_identity(b"2" * 32)


@pytest.mark.parametrize(("seed", "key", "message", "signature"), VECTORS)
def test_keys_and_signatures_are_those_of_the_rfc(seed, key, message, signature):
    identity = new_identity(bytes.fromhex(seed))
    assert identity.key == to_text(bytes.fromhex(key))
    assert identity.sign(bytes.fromhex(message)) == to_text(bytes.fromhex(signature))
    assert is_signed(bytes.fromhex(message), identity.sign(bytes.fromhex(message)), identity.key)


@given(st.binary(max_size=50), st.integers(0, 63), st.integers(1, 255))
def test_a_changed_signature_message_or_key_does_not_fit(message, place, flip):
    signed = bytearray(from_text(OURS.sign(message), 64))
    assert is_signed(message, to_text(signed), OURS.key)
    assert not is_signed(message + b"!", to_text(signed), OURS.key)
    assert not is_signed(message, to_text(signed), THEIRS.key)
    signed[place] ^= flip
    assert not is_signed(message, to_text(signed), OURS.key)


@pytest.mark.parametrize(
    "text", ["", "x", "A" * 85, "A" * 87, "é" * 86, "=" * 86, "A" * 86, "\0" * 86]
)
def test_what_is_no_signature_fits_nothing(text):
    assert not is_signed(b"message", text, OURS.key)


@pytest.mark.parametrize(
    "text", ["", "A" * 42, "A" * 44, "A" * 42 + "B", "+" * 43, "é" * 43, "A" * 42 + "="]
)
def test_a_key_has_one_form_only(text):
    assert is_key("A" * 43)
    assert not is_key(text)
    assert not is_signed(b"message", OURS.sign(b"message"), text)


def test_the_first_start_makes_a_key_that_the_next_one_finds(tmp_path):
    path = tmp_path / "data" / "identity.key"
    made = obtain_identity(path, lambda: b"3" * 32)
    found = obtain_identity(path, lambda: b"4" * 32)
    assert found.key == made.key == new_identity(b"3" * 32).key
    assert found.sign(b"x") == made.sign(b"x")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no such bits")
def test_the_key_is_for_its_owner_only(tmp_path):
    path = tmp_path / "identity.key"
    obtain_identity(path, lambda: b"3" * 32)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(StartupError, match="chmod 600"):
        obtain_identity(path, lambda: b"4" * 32)


@pytest.mark.parametrize(
    "text", ["", "ed25519", "rsa a b", "ed25519 short " + "A" * 43, "ed25519 " + "A" * 43 + " x"]
)
def test_a_file_without_a_key_is_refused_and_left_alone(tmp_path, text):
    path = tmp_path / "identity.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(StartupError, match="does not hold the key"):
        obtain_identity(path, lambda: b"4" * 32)
    assert path.read_text() == text


def test_what_an_interrupted_start_left_is_no_hindrance(tmp_path):
    (tmp_path / "identity.key.new").write_text("half a k")
    assert obtain_identity(tmp_path / "identity.key", lambda: b"3" * 32)
    assert os.listdir(tmp_path) == ["identity.key"]


def test_a_key_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupError, match="the key of the bank"):
        obtain_identity(tmp_path / "file" / "identity.key", lambda: b"3" * 32)


def test_finding_the_key_does_not_load_the_library(tmp_path):
    path = tmp_path / "identity.key"
    obtain_identity(path, lambda: b"3" * 32)
    program = (
        "import sys, pathlib, bank_node.security.identity as i\n"
        "i.obtain_identity(pathlib.Path(sys.argv[1]), bytes)\n"
        "sys.exit('cryptography' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, path], check=False).returncode == 0


def test_a_fingerprint_is_what_ssh_would_show_of_the_same_bytes():
    from base64 import b64encode
    from hashlib import sha256

    from bank_node.security.identity import fingerprint, to_text

    data = bytes(range(32))
    shown = fingerprint(to_text(data))
    assert shown == "SHA256:" + b64encode(sha256(data).digest()).decode().rstrip("=")
    assert len(shown) == 50
