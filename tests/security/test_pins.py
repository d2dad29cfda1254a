"""PINs, and the secrets that they are kept with."""

import pytest

from bank_node.security.identity import new_identity
from bank_node.security.pins import (
    LIGHT,
    STANDARD,
    Profile,
    is_cheap,
    is_pin,
    make_verifier,
    profile_of,
    refuse,
)

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
     "scrypt$3$1$AAAA$AAAA", "md5$16$1$AAAA$AAAA", "a$b$c$d$e$f", "hmac$0$0$AAAA$AAAA",
     "hmac$0$1$!$!"],
)  # fmt: skip
def test_no_pin_fits_what_is_no_verifier(text):
    assert not is_pin("2580", text, PEPPER)


def test_a_verifier_of_one_profile_is_checked_by_a_node_with_another():
    assert is_pin("2580", make_verifier("2580", SALT, PEPPER, STANDARD), PEPPER)


def test_a_pin_that_was_kept_with_little_stretching_still_fits():
    verifier = make_verifier("2580", SALT, PEPPER, Profile("", 16, 1))
    assert verifier.startswith("scrypt$16$1$")
    assert is_pin("2580", verifier, PEPPER)


@pytest.mark.parametrize("n", [0, 16])
def test_a_verifier_that_calls_itself_another_kind_fits_nothing(n):
    kinds = ("hmac$", "scrypt$")
    verifier = make_verifier("2580", SALT, PEPPER, Profile("", n, 1))
    one, other = kinds if n == 0 else kinds[::-1]
    assert not is_pin("2580", verifier.replace(one, other), PEPPER)


def test_nobody_is_refused_at_the_same_price():
    assert refuse("2580", PEPPER, LIGHT) is False


def test_a_key_gives_each_use_a_secret_of_its_own_and_every_node_of_the_bank_the_same():
    one, other = new_identity(b"x" * 32), new_identity(b"y" * 32)
    assert one.derive("pins") == new_identity(b"x" * 32).derive("pins")
    assert len({one.derive("pins"), one.derive("tokens"), other.derive("pins")}) == 3


def test_only_a_check_that_costs_nothing_is_done_on_the_spot():
    assert is_cheap(LIGHT)
    assert not is_cheap(STANDARD)
    for profile in (LIGHT, STANDARD):
        verifier = make_verifier("2580", bytes(16), b"pepper", profile)
        assert profile_of(verifier) == profile._replace(name="")
    assert profile_of("nonsense") is None
