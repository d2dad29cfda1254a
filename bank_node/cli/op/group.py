"""The group `bank op`."""

import click

from bank_node.cli.groups import Group
from bank_node.cli.op.act import change, drain, export, resume, stop, verify
from bank_node.cli.op.follow import events, log, traffic
from bank_node.cli.op.look import account, accounts, journal, metrics, settings, status
from bank_node.cli.op.money import (
    decide,
    keys,
    positions,
    remind,
    replicas,
    states,
    transfer,
    transfers,
)
from bank_node.cli.op.others import add, ask, knock, peers, plan, remove, scan
from bank_node.cli.op.payments import (
    clients,
    freeze,
    papers,
    payments,
    qr,
    release,
    reset_pin,
    revoke,
    rule,
)


@click.group(cls=Group)
def op() -> None:
    """Look at a running node and direct it, over its operator's port.

    The node is found by its data folder (--config, --data), or named with --connect HOST:PORT and
    --token-file. Exit code 1 for what the node refuses, 2 when it cannot be reached.
    """


for command in (
    status, metrics, accounts, account, events, log, traffic, peers, scan, add, remove, ask, knock,
    plan, transfers, transfer, states, decide, positions, remind, keys, replicas,
    payments, clients, papers, freeze, release, reset_pin, revoke, rule, qr,
    journal, verify, export, settings, change, drain, resume, stop,
):  # fmt: skip
    op.add_command(command)
