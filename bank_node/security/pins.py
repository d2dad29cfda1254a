"""PINs: what a bank keeps of one, and whether one that is offered is it.

A PIN has a million values at most, so no hash protects it alone: a pepper that lies in a file
beside the database goes into it, and each guess costs what the profile says. Knows neither whose
PIN it is nor how often somebody has guessed.
"""

from base64 import b64decode, b64encode
from functools import lru_cache
from hashlib import scrypt
from hmac import compare_digest
from typing import NamedTuple

from bank_node.security.keyed import keyed_hash

SALT_BYTES = 16
_CHEAP = 64
_HASH_BYTES = 32
# Verifiers that were read lately, of clients who pay often; a quarter of a kilobyte each.
_READ_LATELY = 4096
# What a verifier begins with: whether the PIN was stretched.
_KINDS = {False: "hmac", True: "scrypt"}


class Profile(NamedTuple):
    """What one check costs: scrypt (RFC 7914) with p = 1, or a keyed hash if n is 0."""

    name: str
    n: int
    r: int

    @property
    def memory_bytes(self) -> int:
        return 128 * self.n * self.r


STANDARD = Profile("standard", 2**14, 8)
"""16 MiB and some 50 ms for each check."""
LIGHT = Profile("light", 0, 0)
"""Costs nearly nothing: for load tests, where thousands of PINs are checked in a second."""

PROFILES = {profile.name: profile for profile in (STANDARD, LIGHT)}


def make_verifier(pin: str, salt: bytes, pepper: bytes, profile: Profile) -> str:
    """What is kept of a PIN, as text: `scrypt$<n>$<r>$<salt>$<hash>`. Slow on purpose.

    Where the profile is a keyed hash, it begins with `hmac$0$0`. `salt` is SALT_BYTES of chance.
    """
    words = (_KINDS[bool(profile.n)], str(profile.n), str(profile.r), _text(salt),
             _text(_hash(pin, salt, pepper, profile)))  # fmt: skip
    return "$".join(words)


def is_cheap(profile: Profile) -> bool:
    """Whether a check costs less than handing it to another thread does."""
    return profile.n * profile.r <= _CHEAP


class _Verifier(NamedTuple):
    """What is kept of a PIN, read from its text."""

    profile: Profile
    salt: bytes
    kept: bytes


@lru_cache(_READ_LATELY)
def _read(text: str) -> _Verifier | None:
    try:
        kind, n, r, salt, kept = text.split("$")
        profile = Profile("", int(n), int(r))
        if kind != _KINDS[bool(profile.n)]:
            return None
        return _Verifier(profile, b64decode(salt, validate=True), b64decode(kept, validate=True))
    except ValueError:
        return None


def profile_of(verifier: str) -> Profile | None:
    """What a check against a verifier costs; None for a text that is none."""
    known = _read(verifier)
    return known.profile if known else None


def is_pin(pin: str, verifier: str, pepper: bytes) -> bool:
    """Whether a PIN is the one of a verifier; False for a text that is none. Slow on purpose."""
    known = _read(verifier)
    if known is None:
        return False
    try:
        made = _hash(pin, known.salt, pepper, known.profile)
    except (ValueError, TypeError, OverflowError):
        # No node has written that; scrypt takes no such profile.
        return False
    return compare_digest(made, known.kept)


def refuse(pin: str, pepper: bytes, profile: Profile) -> bool:
    """Takes as long as `is_pin` does, for somebody who does not exist. Always False."""
    _hash(pin, bytes(SALT_BYTES), pepper, profile)
    return False


def _hash(pin: str, salt: bytes, pepper: bytes, profile: Profile) -> bytes:
    # The pepper makes a text of the PIN that nobody without the file can try values for.
    peppered = keyed_hash(pepper, b"pin " + pin.encode())
    if not profile.n:
        return keyed_hash(pepper, b"salted " + salt + peppered)
    return scrypt(
        peppered,
        salt=salt,
        n=profile.n,
        r=profile.r,
        p=1,
        maxmem=2 * profile.memory_bytes + 2**20,
        dklen=_HASH_BYTES,
    )


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")
