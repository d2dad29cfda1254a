"""URLs of MySQL stores: what they mean, what is refused, and that passwords stay inside."""

import pytest

from bank_node.errors import StartupError
from bank_node.ledger.mysql_address import parse_address


@pytest.mark.parametrize(
    ("url", "hosts", "password", "database"),
    [
        ("mysql://u:p@h/d", (("h", 3306),), "p", "d"),
        ("mysql://u@h:3307/d", (("h", 3307),), "", "d"),
        ("mysql://u:a%2Fb%40c@h:1/my-bank_1", (("h", 1),), "a/b@c", "my-bank_1"),
        ("mysql://u:a/b@c:d@h:1/d", (("h", 1),), "a/b@c:d", "d"),
        ("mysql://u:p@a,b:2,10.0.0.3:3/d", (("a", 3306), ("b", 2), ("10.0.0.3", 3)), "p", "d"),
    ],
)
def test_what_a_url_means(url, hosts, password, database):
    address = parse_address(url)
    assert (address.user, address.hosts) == ("u", hosts)
    assert (address.password, address.database) == (password, database)


def test_options_are_taken():
    address = parse_address("mysql://u@h/d?unix_socket=%2Frun%2Fs&ssl=required&ssl_ca=/ca.pem")
    assert address[4:] == ("/run/s", "required", "/ca.pem")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://h/d", "mysql://u:hush@/d", "mysql://u:hush@h", "mysql://u:hush@h/",
        "mysql://u:hush@h:0/d", "mysql://u:hush@h:65536/d", "mysql://u:hush@h:x/d",
        "mysql://u:hush@h/a;drop", "mysql://u:hush@h/d?x=1", "mysql://u:hush@h/d?ssl=maybe",
        "mysql://u:hush@a,,b/d", "mysql://:hush@h/d", "sqlite://u:hush@h/d",
    ],
)  # fmt: skip
def test_a_wrong_url_is_refused_without_repeating_its_password(url):
    with pytest.raises(StartupError) as raised:
        parse_address(url)
    assert "hush" not in str(raised.value)


def test_an_address_is_shown_without_its_password():
    address = parse_address("mysql://u:hush@a,b:2/d")
    for shown in (str(address), repr(address), f"{address!r}"):
        assert "hush" not in shown
    assert str(address) == "mysql://u@a:3306,b:2/d"
