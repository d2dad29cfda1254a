"""The registry of actions, the themes and the memory keep their own rules."""

import json
from importlib import import_module
from itertools import pairwise

import pytest
from textual.color import Color

from tui import actions, themes
from tui.app import BankConsole
from tui.state import FILE, Memory

NOT_BINDABLE = {"ctrl+i", "ctrl+m", "ctrl+h", "ctrl+s", "ctrl+z", "ctrl+j"}


def home(action):
    if action.screen == actions.ANYWHERE:
        return BankConsole
    module = import_module(f"tui.screens.{action.screen}")
    return getattr(module, actions.SCREENS[action.screen])


@pytest.mark.parametrize("action", actions.ACTIONS.values(), ids=lambda action: action.id)
def test_every_action_has_a_method_a_help_and_keys(action):
    is_done_by_go = action.name.startswith("go_")
    assert is_done_by_go or callable(getattr(home(action), f"do_{action.name}"))
    assert action.help.endswith(".")
    assert action.keys
    # The palette reads help as markup.
    assert "[" not in action.help + action.title
    assert len(action.title) <= 16


@pytest.mark.parametrize("screen", actions.SCREENS)
def test_no_key_has_two_meanings_on_one_screen(screen):
    keys = [
        key
        for action in (*actions.of(screen), *actions.of(actions.ANYWHERE))
        for key in action.keys.split(",")
    ]
    assert sorted(keys) == sorted(set(keys))


def test_no_binding_takes_a_letter_from_a_text_input():
    for screen in (*actions.SCREENS, actions.ANYWHERE):
        assert not any(binding.priority for binding in actions.bindings(screen))


def test_no_key_is_one_that_terminals_cannot_send():
    keys = {key for action in actions.ACTIONS.values() for key in action.keys.split(",")}
    assert not keys & NOT_BINDABLE


def test_screens_have_the_digits_in_their_order():
    keys = [actions.ACTIONS[f"app.go_{screen}"].keys for screen in actions.SCREENS]
    assert keys == [str(n % 10) for n in range(1, 11)]


@pytest.mark.parametrize("theme", [t for t in themes.THEMES if not t.ansi], ids=lambda t: t.name)
def test_texts_have_a_contrast_of_four_and_a_half(theme):
    texts = ["foreground", "accent", "success", "warning", "error"]
    colours = {name: getattr(theme, name) for name in texts}
    colours["dim"] = theme.variables["bank-dim"]
    papers = [theme.background, theme.surface, theme.panel, theme.variables["bank-stripe"]]
    for name, colour in colours.items():
        for paper in papers:
            contrast = _contrast(Color.parse(colour), Color.parse(paper))
            assert contrast >= 4.5, f"{name} on {paper}: {contrast:.2f}"


def _contrast(one, other):
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour):
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_panels_are_one_step_lighter_or_darker_than_the_background():
    for theme in themes.THEMES:
        if not theme.ansi:
            steps = [_luminance(Color.parse(c)) for c in (theme.background, theme.surface)]
            assert all(a < b for a, b in pairwise(steps))


def test_every_state_has_a_glyph_and_a_word():
    for state in ("serving", "draining", "lost", "verified", "silent", "warning", "error"):
        told, tone = themes.marked(state)
        assert told.endswith(state)
        assert not told[0].isalnum()
        assert themes.tone(tone) is not None


def test_what_is_remembered_comes_back(tmp_path):
    memory = Memory(tmp_path)
    memory.now.screen, memory.now.keymap = "log", {"app.pause": "f9"}
    memory.now.history = [str(n) for n in range(500)]
    memory.save()
    again = Memory(tmp_path).now
    assert (again.screen, again.keymap) == ("log", {"app.pause": "f9"})
    assert again.history[-1] == "499"
    assert len(again.history) == 200


@pytest.mark.parametrize("text", ["", "{", "[]", '{"screen": 5}', "\x00", "[" * 9_999])
def test_a_broken_memory_costs_the_memory_only(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    assert Memory(tmp_path).now == Memory(None).now


def test_a_memory_of_a_later_version_is_read(tmp_path):
    (tmp_path / FILE).write_text(json.dumps({"screen": "log", "news": 1}))
    assert Memory(tmp_path).now.screen == "log"


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path):
    (tmp_path / "file").write_text("")
    Memory(tmp_path / "file").save()
