"""The wheel, installed where nothing else is, is a whole bank that runs from any folder."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.nodes import some_host
from support.processes import ROOT, Served

from bank_node import __version__

_INSTALL_S = 300.0
# What a wheel is made of; it is built elsewhere so that nothing is left among the sources.
_SOURCES = ("bank_node", "tui", "pyproject.toml", "README.md", "LICENSE")
_QUIET = ("--quiet", "--disable-pip-version-check", "--no-input")

Run = Callable[..., subprocess.CompletedProcess[str]]


def pip(*arguments: object, python: Path | str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "pip", *map(str, arguments), *_QUIET],
        capture_output=True, text=True, timeout=_INSTALL_S, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources, made = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    for name in _SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__", "*.so")
            )
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, sources)
    ended = pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", made, sources)
    assert ended.returncode == 0, ended.stderr
    (path,) = made.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of an environment in which only the wheel was installed."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    # The pinned versions are those that the tests run with; the wheel itself says what it needs.
    constraints = ROOT / "requirements.txt"
    reachable = pip("download", "--no-deps", "--dest", folder / "probe", "-c", constraints, "click")
    if reachable.returncode:
        pytest.skip("the index of packages cannot be reached")
    ended = pip("--python", programs / "python", "install", "-c", constraints, wheel)
    assert ended.returncode == 0, ended.stderr
    return programs


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Run:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [installed / "bank", *map(str, arguments)],
            cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


def test_everything_that_git_keeps_of_the_program_is_in_it(wheel):
    kept = {
        path.relative_to(ROOT).as_posix()
        for room in ("bank_node", "tui")
        for kind in ("*.py", "*.tcss")
        for path in (ROOT / room).rglob(kind)
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == kept


def test_it_tells_its_version_from_any_folder(run):
    assert run("--version").stdout == f"bank, version {__version__}\n"


def test_it_serves_from_any_folder(installed, run, tmp_path):
    class Installed(Served):
        program = (str(installed / "bank"),)

        @staticmethod
        def environment(**variables: str) -> dict[str, str]:
            return dict(variables)

    with Installed(tmp_path / "data", some_host()) as bank:
        host, port = bank.address
        told = run("call", "--host", host, "--port", port, "AC")
        assert told.stdout.startswith("AC ")
        bank.stop()
    assert run("verify", "--data", tmp_path / "data").returncode == 0


def test_it_brings_everything_that_it_imports(installed, tmp_path):
    every = (
        "import importlib, pkgutil\n"
        "for room in ('bank_node', 'tui'):\n"
        "    try: package = importlib.import_module(room)\n"
        "    except ModuleNotFoundError: continue\n"
        "    for module in pkgutil.walk_packages(package.__path__, room + '.'):\n"
        "        if not module.name.endswith('__main__'): importlib.import_module(module.name)\n"
    )
    ended = subprocess.run(
        [installed / "python", "-c", every],
        cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
