"""Settings are read in an empty folder, so that no config.json lies about by accident."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bank_node.config import SettingsError, load


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Any], Path]:
    """Writes a settings file, from text as it stands or from a value as JSON."""

    def write_file(content: Any) -> Path:
        path = tmp_path / "settings.json"
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


@pytest.fixture
def refusal() -> Callable[..., SettingsError]:
    """The error that `load` raises for these sources."""

    def refuse(path: Path | None = None, environ: Any = None, overrides: Any = None) -> Any:
        with pytest.raises(SettingsError) as caught:
            load(path, environ or {}, overrides or {})
        assert "\n" not in str(caught.value)
        return caught.value

    return refuse
