"""Defaults, file, environment and command line: what each may say and which one wins."""

from pathlib import Path

import pytest

from bank_node.config import Settings, keys, load


def test_without_any_source_every_setting_is_its_default():
    effective = load(None, {})
    assert effective.settings == Settings()
    assert set(effective.origins.values()) == {"default"}
    assert list(effective.origins) == list(keys())


def test_the_defaults_are_those_of_the_design():
    settings = Settings()
    assert (settings.network.host, settings.network.port) == ("127.0.0.1", 65525)
    assert (settings.network.timeout, settings.network.client_time_out) == (5.0, 600.0)
    assert (settings.language, settings.data, settings.store.url) == ("en", "", "")
    assert settings.operator.port == 65500
    assert settings.limits.batch_operations == 4096


def test_every_default_obeys_its_own_rule():
    for key in keys().values():
        text = ",".join(key.default) if isinstance(key.default, tuple) else str(key.default)
        effective = load(None, {key.variable: text.lower() if key.default is True else text})
        assert effective.origins[key.name] == f"environment {key.variable}"
        assert effective.settings == Settings()


def test_a_later_source_wins(write):
    path = write({"network": {"port": 65526, "timeout": 1, "io_threads": 2}, "language": "cs"})
    environ = {"BANK_NETWORK_PORT": "65527", "BANK_NETWORK_TIMEOUT": "2.5", "PATH": "/bin"}
    effective = load(path, environ, {"network.port": 65528})
    network = effective.settings.network
    assert (network.port, network.timeout, network.io_threads) == (65528, 2.5, 2)
    assert effective.settings.language == "cs"
    assert effective.origins["network.port"] == "command line"
    assert effective.origins["network.timeout"] == "environment BANK_NETWORK_TIMEOUT"
    assert effective.origins["network.io_threads"] == f"file {path}"
    assert effective.origins["network.host"] == "default"


def test_config_json_of_the_current_folder_is_read_unless_another_file_is_named(
    empty_folder: Path, write
):
    (empty_folder / "config.json").write_text('{"language": "cs"}')
    effective = load(None, {})
    assert effective.settings.language == "cs"
    assert effective.origins["language"] == "file config.json"
    assert load(write({}), {}).settings.language == "en"


def test_the_file_of_this_repository_states_the_defaults():
    path = Path(__file__).parents[2] / "config.json"
    assert load(path, {}).settings == Settings()


@pytest.mark.parametrize("text", ["10.0.0.1,10.0.0.2:65530", ' ["10.0.0.1", "10.0.0.2:65530"] '])
def test_a_list_in_the_environment_is_comma_separated_or_json(text):
    peers = load(None, {"BANK_NETWORK_PEERS": text}).settings.network.peers
    assert peers == ("10.0.0.1", "10.0.0.2:65530")


def test_an_empty_text_is_an_empty_list():
    assert load(None, {"BANK_NETWORK_SUBNETS": ""}).settings.network.subnets == ()


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("false", False), ("1", True), ("0", False)]
)
def test_a_flag_in_the_environment_is_a_word_or_a_digit(text, value):
    assert load(None, {"BANK_LOG_TRAFFIC": text}).settings.log.traffic is value


def test_the_command_line_may_give_text_values_paths_and_lists():
    overrides = {
        "network.port": " 65530 ",
        "network.timeout": 3,
        "data": Path("ledger"),
        "network.subnets": ("10.0.0.0/24",),
    }
    settings = load(None, {}, overrides).settings
    assert (settings.network.port, settings.network.timeout) == (65530, 3.0)
    assert (settings.data, settings.network.subnets) == ("ledger", ("10.0.0.0/24",))


def test_an_option_that_was_not_given_leaves_the_setting_alone():
    effective = load(None, {"BANK_NETWORK_PORT": "65530"}, {"network.port": None})
    assert effective.settings.network.port == 65530


def test_a_mark_that_windows_editors_put_in_front_is_ignored(write):
    assert load(write('\ufeff{"language": "cs"}'), {}).settings.language == "cs"
