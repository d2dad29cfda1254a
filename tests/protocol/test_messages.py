"""The catalogue: a sentence for everything in each language, and each safe on one line."""

import ast
import string
from pathlib import Path

import pytest

from bank_node.errors import Reason, Refused
from bank_node.protocol.codec import LINE_BYTES_MAX
from bank_node.protocol.commands import BEFORE, COMMANDS
from bank_node.protocol.messages import LANGUAGES, Catalogue

SOURCES = Path(__file__).parents[2] / "bank_node"
ENGLISH, CZECH = Catalogue("en"), Catalogue("cs")

reasons = pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.value)
languages = pytest.mark.parametrize("language", LANGUAGES)


def _placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def _refusals_raised() -> list[tuple[str, Reason, set[str]]]:
    """Every `Refused(Reason.X, detail=...)` in the sources: where, its reason, its details."""
    found = []
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "Refused"):
                continue
            details = {keyword.arg or "**" for keyword in node.keywords}
            # It may be one of two reasons, with the same details.
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.Attribute) and ast.unparse(part.value) == "Reason":
                    found.append((f"{path.name}:{node.lineno}", Reason[part.attr], details))
    return found


@pytest.mark.parametrize("catalogue", [ENGLISH, CZECH], ids=LANGUAGES)
def test_the_catalogue_is_complete(catalogue):
    assert all(catalogue.error_sentence(reason) for reason in Reason)
    assert all(catalogue.summary(command) for command in COMMANDS.values())


@reasons
def test_both_languages_of_a_sentence_have_the_same_placeholders(reason):
    english, czech = (c.error_sentence(reason) for c in (ENGLISH, CZECH))
    assert _placeholders(english) == _placeholders(czech)
    assert all(name.isidentifier() for name in _placeholders(english))


@reasons
@languages
def test_a_sentence_is_one_printable_line_that_ends_with_a_full_stop(reason, language):
    sentence = Catalogue(language).error_sentence(reason)
    assert sentence.isprintable()
    assert sentence == sentence.strip()
    assert sentence.endswith(".")


@reasons
def test_czech_differs_from_english(reason):
    assert CZECH.error_sentence(reason) != ENGLISH.error_sentence(reason)


@languages
def test_no_two_reasons_read_alike(language):
    sentences = [Catalogue(language).error_sentence(reason) for reason in Reason]
    assert len(set(sentences)) == len(sentences)


@reasons
@languages
def test_an_error_is_er_and_the_sentence_with_its_details_filled_in(reason, language):
    catalogue = Catalogue(language)
    details = {name: f"<{name}>" for name in _placeholders(catalogue.error_sentence(reason))}
    line = catalogue.error(Refused(reason, **details))
    assert line.startswith("ER ")
    assert not _placeholders(line)
    assert all(text in line for text in details.values())


def test_a_detail_with_braces_is_told_and_not_carried_out():
    assert "{own}" in ENGLISH.error(Refused(Reason.OUT_OF_REACH, bank="{own}", own="10.1.2.3"))


def test_every_refusal_in_the_sources_brings_the_details_that_its_sentence_needs():
    raised = _refusals_raised()
    assert raised, "the search finds nothing any more"
    for where, reason, details in raised:
        assert details >= _placeholders(ENGLISH.error_sentence(reason)), f"{where} {reason}"


@pytest.mark.parametrize("code", COMMANDS)
def test_every_reason_of_a_row_has_a_sentence_in_each_language(code):
    for reason in (*BEFORE, *COMMANDS[code].errors):
        assert ENGLISH.error_sentence(reason)
        assert CZECH.error_sentence(reason)


@pytest.mark.parametrize("row", COMMANDS.values(), ids=COMMANDS)
def test_a_summary_is_one_printable_sentence_in_each_language(row):
    english, czech = ENGLISH.summary(row), CZECH.summary(row)
    assert english != czech
    for summary in (english, czech):
        assert summary.isprintable()
        assert summary.endswith(".")


@languages
def test_the_list_of_commands_names_them_all_on_one_line(language):
    text = Catalogue(language).command_list(list(COMMANDS))
    assert " ".join(COMMANDS) in text
    assert text.isprintable()


@languages
def test_the_sentence_on_long_lines_names_the_limit_that_holds(language):
    assert f" {LINE_BYTES_MAX} " in Catalogue(language).error_sentence(Reason.LINE_TOO_LONG)


def test_the_classic_examples_read_as_the_world_knows_them():
    assert CZECH.error(Refused(Reason.NO_FREE_ACCOUNT)) == (
        "ER Naše banka nyní neumožňuje založení nového účtu."
    )
    assert CZECH.error(Refused(Reason.INSUFFICIENT_FUNDS)) == (
        "ER Není dostatek finančních prostředků."
    )
    assert CZECH.error(Refused(Reason.ACCOUNT_NOT_EMPTY)) == (
        "ER Nelze smazat bankovní účet na kterém jsou finance."
    )
    assert CZECH.error_sentence(Reason.ACCOUNT_FORMAT).startswith("Formát čísla účtu není správný")


def test_a_language_without_a_column_is_refused():
    with pytest.raises(ValueError):
        Catalogue("xx")
