"""What is refused, and that the one line of the refusal says where, what and how else."""

import pytest

from bank_node.config import SettingsError, load
from bank_node.errors import StartupError


def test_a_refusal_is_a_value_error_and_an_error_of_starting():
    assert issubclass(SettingsError, ValueError)
    assert issubclass(SettingsError, StartupError)


def test_a_wrong_value_is_named_with_its_source_and_what_would_be_right(write, refusal):
    path = write({"network": {"scan_processes": 5000}})
    error = refusal(path)
    assert (error.key, error.value) == ("network.scan_processes", 5000)
    assert error.expected == "a whole number from 1 to 4096"
    assert str(error) == (
        f"file {path}: network.scan_processes = 5000 is wrong; "
        "it must be a whole number from 1 to 4096"
    )
    environment = str(refusal(environ={"BANK_NETWORK_SCAN_PROCESSES": "many"}))
    assert environment.startswith(
        'environment BANK_NETWORK_SCAN_PROCESSES: network.scan_processes = "many" is wrong'
    )
    assert str(refusal(overrides={"language": "de"})) == (
        'command line: language = "de" is wrong; it must be "en" or "cs"'
    )


@pytest.mark.parametrize(
    ("content", "key", "hint"),
    [
        ({"network": {"prot": 1}}, "network.prot", "did you mean network.port?"),
        ({"netwrok": {"port": 1}}, "netwrok", "did you mean network?"),
        ({"langauge": "en"}, "langauge", "did you mean language?"),
        ({"timeout": 3}, "timeout", "did you mean network.timeout?"),
        ({"store": {"level": "info"}}, "store.level", "did you mean log.level?"),
        ({"zzzzzz": 3}, "zzzzzz", "`bank config` lists them all"),
    ],
)
def test_an_unknown_key_of_a_file_is_refused_with_the_nearest_known_one(
    content, key, hint, write, refusal
):
    error = refusal(write(content))
    assert error.key == key
    assert str(error).endswith(f"is not a setting; {hint}")


def test_an_unknown_variable_or_option_is_refused_with_the_nearest_known_one(refusal):
    error = refusal(environ={"BANK_NETWORK_PROT": "5"})
    assert str(error) == (
        'environment: BANK_NETWORK_PROT = "5" is not a setting; did you mean BANK_NETWORK_PORT?'
    )
    assert refusal(overrides={"network.prot": 5}).expected == "network.port"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("language", "EN"),
        ("data", "a\0b"),
        ("data", None),
        ("network.host", "127.0.0.01"),
        ("network.host", "localhost"),
        ("network.host", "127.0.0.1 "),
        ("network.host", "::1"),
        ("network.host", "0.0.0.0"),
        ("network.port", 80),
        ("network.port", 65536),
        ("network.port", -1),
        ("network.port", True),
        ("network.port", 65525.5),
        ("network.port", "65525"),
        ("network.timeout", 0),
        ("payments.time_zone", "Europe/Nowhere"),
        ("payments.currency", "JPY"),
        ("payments.currency", "czk"),
        ("payments.rates", ["EUR=0"]),
        ("payments.rates", ["EUR=1e9"]),
        ("payments.rates", ["EUR=25", "EUR=26"]),
        ("payments.rates", ["JPY=0.2"]),
        ("payments.time_zone", "../../etc/passwd"),
        ("payments.merchant_per_day", -1),
        ("network.timeout", 3600.1),
        ("network.timeout", 10**400),
        ("network.client_time_out", -1),
        ("network.scan_time_out", "fast"),
        ("network.subnets", "10.0.0.0/24"),
        ("network.subnets", ["10.0.0.0/33"]),
        ("network.subnets", ["10.0.0.5/24"]),
        ("network.subnets", ["10.0.0.0"]),
        ("network.peers", ["10.0.0.1:"]),
        ("network.peers", ["10.0.0.1:0"]),
        ("network.peers", ["10.0.0.1:65536"]),
        ("network.peers", ["10.0.0.1:٣"]),
        ("network.peers", ["bank"]),
        ("network.peers", [1]),
        ("network.io_threads", 65),
        ("network.connections_max", 0),
        ("store.url", "bank.db"),
        ("store.url", "sqlite://bank.db"),
        ("store.url", "sqlite:///"),
        ("store.url", "postgres://u@h/d"),
        ("store.url", "mysql://host/database"),
        ("store.url", "mysql://u@h:port/d"),
        ("store.url", "mysql://u@h"),
        ("limits.batch_operations", 0),
        ("log.level", "loud"),
        ("log.traffic", 1),
        ("operator.port", 65525),
        ("operator.port", 65535),
        ("operator.port", 1023),
        ("robbery.objective", "richest"),
    ],
)
def test_a_wrong_value_in_a_file_is_refused(key, value, write, refusal):
    section, dot, leaf = key.partition(".")
    error = refusal(write({section: {leaf: value}} if dot else {key: value}))
    assert error.key == key
    assert error.expected in str(error)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("payments.rates", ["EUR=0"]),
        ("payments.rates", ["JPY=0.2"]),
        ("transfers.debit_caps", ["10.0.0.1=-5"]),
    ],
)
def test_a_wrong_rate_or_cap_is_shown_as_it_was_given(key, value, write, refusal):
    section, _, leaf = key.partition(".")
    assert f'["{value[0]}"]' in str(refusal(write({section: {leaf: value}})))


@pytest.mark.parametrize("value", ["PWD=1234", "TOKEN=1234", "password=1234", "user=x"])
def test_what_could_be_a_secret_is_not_shown(value, write, refusal):
    assert value not in str(refusal(write({"payments": {"rates": [value]}})))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("network.port", 0),
        ("network.port", 1024),
        ("network.port", 65535),
        ("network.timeout", 3600),
        ("network.peers", ["10.0.0.1", "10.0.0.1:1"]),
        ("network.subnets", ["10.0.0.0/24", "10.0.0.7/32"]),
        ("store.url", "sqlite:///bank.db"),
        ("store.url", "sqlite:////var/lib/bank.db"),
        ("store.url", "mysql://u:p%40@h:3306/d"),
        ("store.url", "mysql://u@h/d"),
        ("operator.port", 0),
        ("operator.port", 65524),
        ("operator.host", "0.0.0.0"),
    ],
)
def test_a_value_at_the_edge_of_its_rule_is_accepted(key, value, write):
    section, _, leaf = key.partition(".")
    load(write({section: {leaf: value}}), {})


@pytest.mark.parametrize("text", ["", "1.5", "0x10", "yes", "٣", "9" * 400, "[1]"])
def test_a_wrong_text_for_a_number_is_refused(text, refusal):
    assert refusal(environ={"BANK_NETWORK_PORT": text}).key == "network.port"


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "5s"])
def test_a_wrong_text_for_seconds_is_refused(text, refusal):
    assert refusal(environ={"BANK_NETWORK_TIMEOUT": text}).key == "network.timeout"


@pytest.mark.parametrize("text", ['["10.0.0.1"', "[1]", "10.0.0.1;10.0.0.2", "[" * 100_000])
def test_a_wrong_text_for_a_list_is_refused(text, refusal):
    assert refusal(environ={"BANK_NETWORK_PEERS": text}).key == "network.peers"


def test_a_wrong_value_is_refused_even_where_a_later_source_would_hide_it(write, refusal):
    assert refusal(write({"language": "de"}), {"BANK_LANGUAGE": "cs"}).value == "de"


def test_bank_and_operator_cannot_share_one_port_of_one_host(refusal):
    error = refusal(overrides={"network.port": 65500})
    assert (error.key, error.expected) == (
        "network.port",
        "different from operator.port on the same host",
    )
    assert refusal(environ={"BANK_OPERATOR_PORT": "7000"}, overrides={"network.port": 7000})
    load(None, {}, {"network.port": 65500, "network.host": "127.0.0.2"})
    load(None, {}, {"network.port": 0, "operator.port": 0})


def test_a_named_file_that_does_not_exist_is_refused(tmp_path, refusal):
    assert str(refusal(tmp_path / "no.json")).endswith("no.json: there is no such file")


def test_a_folder_is_not_a_settings_file(tmp_path, refusal):
    assert "cannot be read" in str(refusal(tmp_path))


def test_broken_json_is_located_by_line_and_column(write, refusal):
    assert "broken JSON at line 2, column 13:" in str(refusal(write('{\n "language" "cs"}')))


@pytest.mark.parametrize(
    "content", ["", "{} {}", '{"data": NaN}', "[" * 100_000, "9" * 5000, " " * (2**20 + 1)]
)
def test_what_is_not_one_json_value_of_sensible_size_is_refused(content, write, refusal):
    assert refusal(write(content)).key == "config"


@pytest.mark.parametrize("content", ["[]", "null", '"x"'])
def test_a_file_must_hold_one_object(content, write, refusal):
    assert "one JSON object" in str(refusal(write(content)))


def test_a_file_that_is_not_utf_8_is_refused(write, refusal):
    path = write("")
    path.write_bytes(b'{"data": "\xff"}')
    assert "byte 10 is not UTF-8" in str(refusal(path))


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ('{"language": "en", "language": "cs"}', "language"),
        ('{"network": {"port": 0, "port": 0}}', "network.port"),
        ('{"network": {}, "network": {}}', "network"),
    ],
)
def test_a_key_given_twice_in_a_file_is_refused(content, key, write, refusal):
    error = refusal(write(content))
    assert (error.key, error.expected) == (key, "given only once")


def test_a_section_is_an_object_and_is_never_written_with_a_dot(write, refusal):
    assert refusal(write({"network": 5})).expected == "a section in braces: {...}"
    assert '"network": {"port": ...}' in refusal(write({"network.port": 65525})).expected


def test_a_long_or_odd_value_stays_one_short_line(write, refusal):
    message = str(refusal(write({"lan\nguage": "x\n" * 1000})))
    assert message.isprintable()
    assert len(message) < 400
