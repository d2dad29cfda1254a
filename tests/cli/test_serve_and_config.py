"""`bank serve` says when it is ready; `bank config` says which settings hold and why."""

import json
import sys

import pytest
from support.nodes import some_host
from support.processes import Served


@pytest.fixture
def write(tmp_path):
    def write_settings(**sections):
        path = tmp_path / "settings.json"
        path.write_text(json.dumps(sections), encoding="utf-8")
        return path

    return write_settings


def rows(bank, *options, **env) -> dict[str, dict[str, object]]:
    shown = bank("config", "--json", *options, env=env)
    assert (shown.returncode, shown.stderr) == (0, "")
    return {row["key"]: row for row in json.loads(shown.stdout)}


def test_serve_prints_one_ready_line_with_the_real_address(served):
    host, port = served.address
    assert served.ready_line == f"ready {host}:{port}\n"
    assert host == served.host
    assert port > 0
    with served.wire() as wire:
        assert wire.ask("BC") == f"BC {host}"


def test_serve_writes_traffic_and_its_own_log_into_the_data_folder(served):
    with served.wire() as wire:
        assert wire.ask("BN") == "BN 0"
    served.stop()
    traffic = (served.data / "log" / "traffic.log").read_text(encoding="utf-8")
    assert "BN -> BN 0" in traffic
    assert "ready on" in (served.data / "log" / "bank.log").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no modes of files")
def test_what_a_bank_writes_is_for_nobody_elses_eyes(served):
    written = list(served.data.rglob("*"))
    assert served.data / "bank.db" in written
    assert not [path for path in written if path.stat().st_mode & 0o077]


def test_serve_reads_file_then_environment_then_command_line(tmp_path, write):
    config = write(language="cs", network={"host": "127.0.0.250", "port": 65535})
    with (
        Served(tmp_path / "data", some_host(), "--config", config) as served,
        served.wire() as wire,
    ):
        assert wire.ask("BC") == f"BC {served.host}"
        assert wire.ask("XX") == "ER Neznámý příkaz."
    with (
        Served(tmp_path / "data", some_host(), "--config", config, BANK_LANGUAGE="en") as served,
        served.wire() as wire,
    ):
        assert wire.ask("XX") == "ER Unknown command."


def test_a_strictly_classic_node_is_a_setting(tmp_path):
    with (
        Served(tmp_path / "data", some_host(), BANK_PROTOCOL_EXTENSIONS="false") as served,
        served.wire() as wire,
    ):
        assert wire.ask("HE").startswith("ER ")
        assert wire.ask("BN") == "BN 0"


def test_config_shows_every_setting_with_its_origin(bank, write):
    shown = bank("config", "--config", write(network={"port": 65530}))
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = {line.split()[0]: line for line in shown.stdout.splitlines()}
    assert "65530" in lines["network.port"]
    assert "settings.json" in lines["network.port"]
    assert lines["network.host"].endswith("default")


def test_config_as_json_shows_the_same(bank, write):
    found = rows(bank, "--config", write(network={"port": 65530}))
    assert found["network.port"]["value"] == 65530
    assert "settings.json" in str(found["network.port"]["origin"])
    assert found["network.timeout"]["origin"] == "default"
    assert all(row["doc"] for row in found.values())


def test_the_environment_overrides_the_file_and_is_overridden_by_options(bank, write, tmp_path):
    config = write(data="/from/file", network={"port": 65530})
    env = {"BANK_NETWORK_PORT": "65531", "BANK_DATA": "/from/environment"}
    found = rows(bank, "--config", config, "--data", tmp_path, **env)
    assert found["network.port"]["value"] == 65531
    assert "BANK_NETWORK_PORT" in str(found["network.port"]["origin"])
    assert found["data"]["value"] == str(tmp_path)


@pytest.mark.parametrize("command", ["serve", "config", "verify"])
def test_an_unknown_key_is_named_and_the_exit_code_is_2(bank, write, command):
    ended = bank(command, "--config", write(network={"prot": 65530}))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert "network.prot" in ended.stderr
    assert "network.port" in ended.stderr


def test_an_unknown_variable_is_named_and_the_exit_code_is_2(bank):
    ended = bank("config", env={"BANK_NETWORK_PROT": "1"})
    assert ended.returncode == 2
    assert "BANK_NETWORK_PROT" in ended.stderr


@pytest.mark.parametrize("port", [80, "many", -1, 65536])
def test_a_wrong_value_is_named_with_what_would_be_right(bank, write, port):
    ended = bank("config", "--config", write(network={"port": port}))
    assert ended.returncode == 2
    assert "network.port" in ended.stderr
    assert str(port) in ended.stderr
    assert ended.stderr.count("\n") == 1
