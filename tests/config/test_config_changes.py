"""Changing one setting of a running node, and keeping the change for the next start."""

import json
import stat
import sys

import pytest

from bank_node.config import SettingsError, changed, keys, load, save


@pytest.fixture
def effective():
    return load(None, {}, {"network.host": "127.0.0.2"})


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("language", "cs", "cs"),
        ("log.traffic", "false", False),
        ("network.scan_time_out", "0.25", 0.25),
        ("network.subnets", "10.1.2.0/24, 10.1.3.0/24", ("10.1.2.0/24", "10.1.3.0/24")),
    ],
)
def test_a_change_is_a_new_value_with_a_new_origin_and_nothing_else(effective, key, text, value):
    after = changed(effective, key, text, "operator")
    before = {row.key: row for row in effective.describe()}
    for row in after.describe():
        if row.key == key:
            assert (row.value, row.origin) == (value, "operator")
        else:
            assert row == before[row.key]


@pytest.mark.parametrize(
    ("key", "text", "told"),
    [
        ("language", "de", '"en" or "cs"'),
        ("log.trafic", "true", "log.traffic"),
        ("network.scan_processes", "0", "1 to 4096"),
        ("log", "x", "not a setting"),
    ],
)
def test_a_wrong_change_is_refused_as_at_a_start(effective, key, text, told):
    with pytest.raises(SettingsError, match=r"^operator: ") as caught:
        changed(effective, key, text, "operator")
    assert told in str(caught.value)


def test_what_a_running_node_can_take_over_is_a_column_of_the_table():
    live = {key.name for key in keys().values() if key.live}
    assert {"language", "log.level", "log.traffic", "robbery.objective"} <= live
    assert not live & {"network.host", "network.port", "data", "store.url", "operator.port"}


def test_saving_makes_a_file_that_the_next_start_reads(tmp_path):
    path = tmp_path / "config.json"
    save(path, "language", "cs")
    save(path, "log.level", "debug")
    save(path, "network.subnets", ("10.1.2.0/24",))
    settings = load(path, {}).settings
    assert (settings.language, settings.log.level) == ("cs", "debug")
    assert settings.network.subnets == ("10.1.2.0/24",)
    assert list(tmp_path.iterdir()) == [path]


def test_saving_leaves_everything_else_in_the_file_as_it_is(write):
    path = write({"network": {"port": 65530, "host": "127.0.0.3"}, "language": "en"})
    save(path, "network.scan_time_out", 0.25)
    assert json.loads(path.read_text()) == {
        "network": {"port": 65530, "host": "127.0.0.3", "scan_time_out": 0.25},
        "language": "en",
    }


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no mode bits")
def test_saving_keeps_who_may_read_the_file(write):
    path = write({"store": {"url": "mysql://bank:hush@db/bank"}})
    path.chmod(0o600)
    save(path, "language", "cs")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_broken_file_is_not_replaced(write):
    path = write('{"language": "en",}')
    with pytest.raises(SettingsError, match="broken JSON"):
        save(path, "language", "cs")
    assert path.read_text() == '{"language": "en",}'


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(SettingsError, match="cannot be written"):
        save(tmp_path / "nowhere" / "config.json", "language", "cs")
