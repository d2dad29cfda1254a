"""The program as a process: texts fit through old pipes, a packed one ends with its parent."""

import subprocess
import sys

import pytest
from support.polling import until
from support.processes import environment, is_alive

# The packed file and what it starts, played by two interpreters: the outer one tells the process
# number of the inner one, which has settled where the files were unpacked and waits.
INNER = """
import os, sys
from bank_node.cli.program import settle
if sys.argv[2] == "without":
    del os.pidfd_open
sys.frozen, sys._MEIPASS = True, sys.argv[1]
settle()
print(os.getpid(), flush=True)
sys.stdin.read()
"""
OUTER = """
import subprocess, sys
subprocess.run([sys.executable, "-c", *sys.argv[1:]])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
@pytest.mark.parametrize("pidfd", ["with", "without"])
def test_a_packed_program_ends_with_its_parent_and_removes_its_files(tmp_path, pidfd):
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    (unpacked / "library").write_text("")
    outer = subprocess.Popen(
        [sys.executable, "-c", OUTER, INNER, unpacked, pidfd],
        env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert outer.stdout
    assert outer.stdin
    inner = int(outer.stdout.readline())
    assert is_alive(inner)
    try:
        outer.kill()
        until(lambda: not is_alive(inner), "the inner process has ended")
        assert not unpacked.exists()
    finally:
        # Its input stays open to the end, so that it is not the input that ends it.
        outer.communicate()


def test_a_character_that_a_pipe_does_not_have_fails_nothing(tmp_path):
    told = subprocess.run(
        [sys.executable, "-c", "from bank_node.cli.program import settle; settle(); print('účet')"],
        cwd=tmp_path, env=environment(PYTHONIOENCODING="ascii", PYTHONUTF8="0"),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout == r"\xfa\u010det" + "\n"
