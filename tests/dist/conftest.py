"""The executable as a stranger has it: one file, alone in a folder, and an empty environment."""

import importlib.util
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.processes import ROOT, Served

_RUN_S = 60.0

Run = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., Served]


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The executable, made if need be, and copied to where nothing of the sources is near."""
    path = ROOT / "tools" / "make_dist.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    make_dist = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_dist)
    if why := make_dist.hindrance():
        pytest.skip(why)
    return Path(shutil.copy2(make_dist.make(), tmp_path_factory.mktemp("alone")))


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """Where the executable unpacks itself; it leaves nothing there."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    return folder


@pytest.fixture
def run(bank: Path, tmp_path: Path, unpacked: Path) -> Run:
    """Runs the executable with arguments to its end; variables are all that it is told."""

    def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [bank, *map(str, arguments)],
            cwd=tmp_path,
            env={"TMPDIR": str(unpacked), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=_RUN_S,
            check=False,
        )

    return run


@pytest.fixture
def serve(bank: Path, unpacked: Path) -> Serve:
    """Starts `bank serve` of the executable; see `Served`."""

    class Packed(Served):
        program = (str(bank),)

        @staticmethod
        def environment(**variables: str) -> dict[str, str]:
            return {"TMPDIR": str(unpacked), **variables}

    return Packed
