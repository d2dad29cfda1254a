"""What the README says of settings, commands and figures is what there is."""

import importlib.util
import re
from pathlib import Path

import pytest

from bank_node.cli.main import COMMANDS as SHELL_COMMANDS
from bank_node.config import keys
from bank_node.protocol.commands import COMMANDS
from bench.scenarios import SCENARIOS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_setting_is_documented_as_it_is():
    table = tool("settings_table")
    text = table.DOCUMENT.read_text(encoding="utf-8")
    assert table.written(text) == text, "run tools/settings_table.py"
    assert len(table.rows()) == len(keys())


def test_the_readme_names_no_setting_that_there_is_not():
    named = re.findall(r"`((?:network|payments|store|replication)\.[a-z_]+)`", README)
    assert named
    assert set(named) <= set(keys())


def test_every_command_of_the_shell_is_documented():
    assert all(f"bank {name}" in README for name in SHELL_COMMANDS)


def test_every_command_of_the_protocol_is_documented():
    assert all(re.search(rf"`{code}\b", README) for code in COMMANDS)


def test_the_figures_are_those_of_the_last_complete_measurement():
    quoting = tool("quote_figures")
    assert quoting.QUOTES
    for document, results in quoting.QUOTES.items():
        text = (ROOT / document).read_text(encoding="utf-8")
        figures = (ROOT / results).read_text(encoding="utf-8")
        assert figures.strip() in text, document
        assert quoting.quoted(text, figures) == text, document


def test_every_scenario_of_the_measurements_is_documented():
    text = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in SCENARIOS)


def test_every_module_that_the_architecture_names_is_there():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_/]+\.py)`", text))
    rooms = ("bank_node", "tui", "tests", "bench")
    there = [f"/{path.as_posix()}" for room in rooms for path in (ROOT / room).rglob("*.py")]
    assert named
    assert not {name for name in named if not any(path.endswith("/" + name) for path in there)}


DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "bench" / "README.md"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_of_a_document_leads_somewhere(path):
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
    assert not [link for link in links if not (path.parent / link).exists()]
