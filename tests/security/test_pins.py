"""PINs and the secret that they are kept with."""

import pytest

from bank_node.errors import StartupError
from bank_node.security.pins import LIGHT, STANDARD, is_pin, make_verifier, refuse
from bank_node.security.secret import SECRET_BYTES, derive, obtain_secret

PEPPER, SALT = b"p" * 32, b"s" * 16


@pytest.mark.parametrize("profile", [LIGHT, STANDARD], ids=lambda p: p.name)
def test_only_the_pin_fits_its_verifier(profile):
    verifier = make_verifier("2580", SALT, PEPPER, profile)
    assert is_pin("2580", verifier, PEPPER)
    assert not is_pin("2581", verifier, PEPPER)
    assert "2580" not in verifier


def test_without_the_pepper_no_pin_fits():
    verifier = make_verifier("2580", SALT, PEPPER, LIGHT)
    assert not is_pin("2580", verifier, b"q" * 32)


def test_the_same_pin_is_kept_differently_for_each():
    assert make_verifier("2580", SALT, PEPPER, LIGHT) != make_verifier(
        "2580", b"t" * 16, PEPPER, LIGHT
    )


@pytest.mark.parametrize(
    "text",
    ["", "scrypt", "scrypt$16$1$!$!", "scrypt$x$1$AAAA$AAAA", "scrypt$-1$1$AAAA$AAAA",
     "scrypt$3$1$AAAA$AAAA", "md5$16$1$AAAA$AAAA", "a$b$c$d$e$f"],
)  # fmt: skip
def test_no_pin_fits_what_is_no_verifier(text):
    assert not is_pin("2580", text, PEPPER)


def test_a_verifier_of_one_profile_is_checked_by_a_node_with_another():
    assert is_pin("2580", make_verifier("2580", SALT, PEPPER, STANDARD), PEPPER)


def test_nobody_is_refused_at_the_same_price():
    assert refuse("2580", PEPPER, LIGHT) is False


def test_the_secret_is_made_once_and_kept(tmp_path):
    path = tmp_path / "data" / "bank.secret"
    made = obtain_secret(path, lambda: b"x" * SECRET_BYTES)
    assert obtain_secret(path, lambda: b"y" * SECRET_BYTES) == made == b"x" * SECRET_BYTES
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "short", "!" * 43, "A" * 44])
def test_a_damaged_secret_stops_the_start_instead_of_being_replaced(tmp_path, text):
    path = tmp_path / "bank.secret"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(StartupError, match="does not hold the secret"):
        obtain_secret(path, lambda: b"x" * SECRET_BYTES)


def test_a_secret_that_others_may_read_stops_the_start(tmp_path):
    path = tmp_path / "bank.secret"
    obtain_secret(path, lambda: b"x" * SECRET_BYTES)
    path.chmod(0o644)
    with pytest.raises(StartupError, match="chmod 600"):
        obtain_secret(path, lambda: b"x" * SECRET_BYTES)


def test_a_secret_gives_each_use_a_key_of_its_own():
    assert derive(b"x" * 32, "pins") != derive(b"x" * 32, "tokens")
