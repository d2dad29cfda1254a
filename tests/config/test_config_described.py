"""What `bank config` shows, what it hides, and the folders that settings stand for."""

from pathlib import Path

import platformdirs
import pytest

from bank_node.config import Settings, data_folder, keys, load, log_folder, masked


def test_every_setting_is_described_once_in_the_order_of_the_table():
    rows = load(None, {}, {"network.port": 65530}).describe()
    assert [row.key for row in rows] == list(keys())
    port = next(row for row in rows if row.key == "network.port")
    assert (port.value, port.origin, port.doc) == (
        65530,
        "command line",
        keys()["network.port"].doc,
    )


def test_every_setting_has_a_doc_of_one_line_and_its_own_variable():
    for key in keys().values():
        assert key.doc.endswith("."), key.name
        assert key.doc.isprintable(), key.name
        assert len(key.doc) <= 80, key.name
    assert len({key.variable for key in keys().values()}) == len(keys())
    assert keys()["network.client_time_out"].variable == "BANK_NETWORK_CLIENT_TIME_OUT"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mysql://bank:hush@db:3306/bank", "mysql://bank:***@db:3306/bank"),
        ("mysql://bank:hu:s@h@db/bank", "mysql://bank:***@db/bank"),
        ("mysql://bank@db/bank?password=hush&x=1", "mysql://bank@db/bank?password=***&x=1"),
        ("mysql://bank@db/bank", "mysql://bank@db/bank"),
        ("sqlite:///bank.db", "sqlite:///bank.db"),
        ("", ""),
    ],
)
def test_the_password_of_a_store_is_shown_as_stars(url, shown):
    assert masked(url) == shown
    effective = load(None, {"BANK_STORE_URL": url})
    assert effective.settings.store.url == url
    assert next(row.value for row in effective.describe() if row.key == "store.url") == shown


@pytest.mark.parametrize(
    "content",
    [
        {"store": {"url": "mysql://root:hush"}},
        {"store": {"url": "mysql:/root:hush@h/d"}},
        {"store": {"url": "root:hush@h/d"}},
        {"store": {"url": 'mysql://root:hu"hush@h'}},
        {"store": {"url": ["mysql://root:hush@h/d"]}},
        {"store": {"url": {"password": "hush"}}},
        {"store": "mysql://root:hush@h/d"},
        {"store": {"ulr": "mysql://root:hush@h/d"}},
        {"store": {"password": "hush"}},
    ],
)
def test_no_refusal_tells_a_password(content, write, refusal):
    assert "hush" not in str(refusal(write(content)))


def test_a_file_may_be_named_in_a_url_without_being_taken_for_a_secret(refusal):
    assert '"bank.db"' in str(refusal(environ={"BANK_STORE_URL": "bank.db"}))


def test_the_data_folder_is_the_named_one_or_that_of_the_user():
    assert data_folder(load(None, {}, {"data": "here"}).settings) == Path("here")
    assert data_folder(load(None, {}, {"data": "~/bank"}).settings) == Path.home() / "bank"
    users = Path(platformdirs.user_data_dir("bank-node", appauthor=False))
    assert data_folder(Settings()) == users


def test_logs_are_in_the_data_folder_unless_a_folder_is_named():
    assert log_folder(load(None, {}, {"data": "here"}).settings) == Path("here/log")
    assert log_folder(load(None, {}, {"log.folder": "there"}).settings) == Path("there")
