"""Which file the URL of a store names."""

import sys
from pathlib import Path

import pytest

from bank_node.node.stores import sqlite_path


@pytest.mark.skipif(sys.platform == "win32", reason="paths have a letter in front there")
@pytest.mark.parametrize("url", ["sqlite:///var/lib/bank.db", "sqlite:////var/lib/bank.db"])
def test_three_slashes_or_four_name_the_same_file(url):
    assert str(sqlite_path(url)) == str(Path("/var/lib/bank.db"))
