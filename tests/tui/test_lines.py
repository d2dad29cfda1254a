"""What a typed line may change, and what an operator types on a first start."""

import pytest

from tui.model.interfaces import address_problem, port_problem, settings, subnet_problem
from tui.model.lines import changes, command_of
from tui.widgets.inputs import amount_of, amount_problem


@pytest.mark.parametrize(
    "line",
    [
        "BC",
        "ab 10001/10.1.2.3",
        "HE AD",
        "OS",
        "OC first=0",
        "ON",
        "OV",
        "OQ show=clients",
        "OQ do=code account=10001",
        "@10.1.2.7 BA",
        "",
    ],
)
def test_a_line_that_looks_changes_nothing(line):
    assert not changes(line) or not line


@pytest.mark.parametrize(
    "line", ["AC", "ad 10001/10.1.2.3 5", "AR 10001/10.1.2.3", "ON start=1", "OV stop=1",
             "OX do=stop", "OH key=a value=b", "ZZ", "what", "@10.1.2.7 AC",
             "OK to=10.1.2.7 line=AC", "OQ do=freeze account=10001", "OU remind=10.1.2.7",
             "OV START=1"]
)  # fmt: skip
def test_a_line_that_changes_or_is_unknown_may_change_something(line):
    assert changes(line)


def test_a_command_is_found_in_either_case_and_behind_a_target():
    assert command_of("ad 1").code == command_of("@10.1.2.7 AD").code == "AD"
    assert command_of("") is command_of("@10.1.2.7") is None


@pytest.mark.parametrize("text", ["500", "1,000", "9 223 372 036 854 775 807", "1_000"])
def test_an_amount_may_have_its_thousands_apart(text):
    assert amount_problem(text) == ""
    assert amount_of(text) == int("".join(c for c in text if c.isdigit()))


@pytest.mark.parametrize("text", ["", "0", "-5", "1.5", "x", "9223372036854775808", "٣", "²"])
def test_what_is_no_amount_is_said(text):
    assert amount_problem(text)


def test_more_than_there_is_is_said():
    assert amount_problem("501", most=500)
    assert not amount_problem("500", most=500)


def test_the_answer_of_a_first_start_is_a_settings_file():
    assert settings("10.1.2.3", "65525", "10.1.2.0/24") == {
        "network": {"host": "10.1.2.3", "port": 65525, "subnets": ["10.1.2.0/24"]}
    }
    assert "subnets" not in settings("10.1.2.3", "65525", "")["network"]


@pytest.mark.parametrize("text", ["", "10.1.2", "10.1.2.300", "0.0.0.0", "224.0.0.1", "bank"])
def test_an_address_that_nobody_could_call_is_refused(text):
    assert address_problem(text)


@pytest.mark.parametrize("text", ["65524", "65536", "x", "", "-1", "٦٥٥٢٥"])
def test_a_port_that_other_banks_do_not_look_at_is_refused(text):
    assert port_problem(text)


@pytest.mark.parametrize(("text", "is_right"), [("", True), ("10.1.2.0/24", True),
    ("10.1.2.3/24", False), ("10.0.0.0/8", False), ("x", False)])  # fmt: skip
def test_a_subnet_is_searchable_or_refused(text, is_right):
    assert (not subnet_problem(text)) is is_right
