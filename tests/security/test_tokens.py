"""The operator's token: made once, kept from others, compared whole."""

import os
import stat
import sys
from itertools import count

import pytest

from bank_node.errors import StartupError
from bank_node.security.tokens import is_token, obtain_token, read_token

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no mode bits")


@pytest.fixture
def new_token():
    """A different token at each call."""
    numbers = count()
    return lambda: f"{next(numbers):043d}"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "operator.token"


def test_the_first_start_makes_a_token_and_later_ones_find_it(path, new_token):
    token = obtain_token(path, new_token)
    assert token == "0" * 43
    assert obtain_token(path, new_token) == read_token(path) == token


@posix
def test_only_the_owner_can_read_it(path, new_token):
    before = os.umask(0)
    try:
        obtain_token(path, new_token)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@posix
def test_a_token_that_others_could_read_is_replaced(path, new_token):
    first = obtain_token(path, new_token)
    path.chmod(0o640)
    second = obtain_token(path, new_token)
    assert second != first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 300, b"\xff" * 43, b"a b" * 15])
def test_a_file_without_a_token_gets_one(path, new_token, content):
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(0o600)
    assert read_token(path) == ""
    assert obtain_token(path, new_token) == read_token(path) == "0" * 43


@posix
def test_a_link_is_replaced_and_what_it_points_to_left_alone(path, tmp_path, new_token):
    path.parent.mkdir()
    other = tmp_path / "other"
    other.write_text("not a token")
    path.symlink_to(other)
    obtain_token(path, new_token)
    assert not path.is_symlink()
    assert other.read_text() == "not a token"


def test_a_folder_that_cannot_be_is_one_line_for_the_operator(tmp_path, new_token):
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupError, match=r"operator.token"):
        obtain_token(tmp_path / "file" / "operator.token", new_token)


@pytest.mark.parametrize("offered", [b"", b"a" * 42, b"a" * 44, b"a" * 42 + b"b", b"\xff" * 43])
def test_nothing_but_the_token_is_the_token(offered):
    assert is_token("a" * 43, b"a" * 43)
    assert not is_token("a" * 43, offered)
