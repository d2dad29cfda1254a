"""Keyed hashes."""

import hmac

import pytest

from bank_node.security.keyed import keyed_hash


@pytest.mark.parametrize("secret", [b"", b"k" * 32, b"k" * 200])
@pytest.mark.parametrize("message", [b"", b"payment 10001 r1", b"x" * 5000])
def test_a_keyed_hash_is_that_of_rfc_2104_each_time(secret, message):
    for _ in range(2):
        assert keyed_hash(secret, message) == hmac.digest(secret, message, "sha256")
