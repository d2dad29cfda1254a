"""The replies of a node in the eyes of the console: every member has the type that it expects."""

import json

import msgspec
import pytest
from support.wire import open_account

from tui.model import money, payments, replies, world

ASKED = {
    "OS": replies.Status,
    "OM": replies.Metrics,
    "OC": replies.AccountPage,
    "OD account={account}": replies.AccountDetail,
    "OD account=99999": replies.AccountDetail,
    "OE": replies.Events,
    "OL": replies.LogLines,
    "OT": replies.TrafficLines,
    "OJ": replies.Blocks,
    "OJ height=1": replies.Entries,
    "OJ account={account}": replies.Entries,
    "OV": replies.Verification,
    "OZ": replies.Exported,
    "OG": replies.Settings,
    "OP": world.Peers,
    "ON": world.Scan,
    "OF": money.Transfers,
    "OF show=done": money.Transfers,
    "OF transfer=inside": money.TransferDetail,
    "OO": money.Stages,
    "OQ": payments.PaymentFlow,
    "OQ show=find find=x": payments.Found,
    "OQ show=clients": payments.Clients,
    "OQ show=papers": payments.Papers,
    "OU": money.Positions,
    "OY": money.Keys,
    "OR": world.Replicas,
    "OB number=5 frontier=1": world.Robbery,
    "OB number=50000 frontier=1": world.Robbery,
}


@pytest.mark.parametrize("command", ASKED)
def test_a_reply_is_what_the_console_takes_it_for(house, console, command):
    client = house.client()
    address, other = open_account(client, 700), open_account(client)
    assert client.ask(f"TR {address} {other} 5 inside") == "TR inside committed"
    account = address.partition("/")[0]
    reply = console.ask(command.format(account=account))
    text = reply[3:]
    seen = msgspec.json.decode(text, type=ASKED[command])
    told = json.loads(text)
    known = {name for name in msgspec.structs.asdict(seen) if name in told}
    assert known, "the console knows some of it"
    for name in known:
        value = getattr(seen, name)
        if isinstance(value, int | str | float | bool | None):
            assert value == told[name], name
