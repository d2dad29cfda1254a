"""`bank promote`: a follower becomes the leader of its bank."""

from pathlib import Path

import click

from bank_node.cli.options import HOST_PORT, effective, settings_options
from bank_node.config import IDENTITY_FILE, Settings, data_folder
from bank_node.errors import BankError, StartupError
from bank_node.network.client import Client, Endpoint

_TIMEOUT_S = 30.0


@click.command()
@settings_options
@click.option("--connect", type=HOST_PORT, help="Where the follower serves.")
def promote(
    config: Path | None, data: Path | None, store: str | None, connect: Endpoint | None
) -> None:
    """Make the follower of this data folder the leader of its bank.

    Works while it serves, at the address of its settings or at --connect, and when it is stopped.
    The node that led before is told, and takes no more changes. Changes that it acknowledged and
    did not hand over are lost to the bank: with `replication.wait_for` there are none.
    """
    from bank_node.ledger.office import Role
    from bank_node.ledger.ownership import own
    from bank_node.node import ledger_path, open_office

    settings = effective(config, data, store).settings
    office = open_office(settings)
    if office.role is not Role.FOLLOWER:
        raise StartupError(f"{data_folder(settings)} is no follower")
    try:
        lock = own(ledger_path(settings))
    except StartupError:
        _order(settings, office.bank, office.node, office.epoch, connect)
    else:
        try:
            office.promote()
        finally:
            lock.release()
    office = open_office(settings)
    click.echo(f"the bank {office.bank} is led from here, in epoch {office.epoch}")


def _order(settings: Settings, bank: str, node: str, epoch: int, connect: Endpoint | None) -> None:
    """Tells the node that serves this data folder."""
    from bank_node.node.succession import sign_promotion
    from bank_node.security.identity import read_identity

    endpoint = connect or Endpoint(settings.network.host, settings.network.port)
    identity = read_identity(data_folder(settings) / IDENTITY_FILE)
    with Client(*endpoint, _TIMEOUT_S) as client:
        reply = client.call(f"FP {node} {sign_promotion(identity, bank, node, epoch)}")
    if reply != "FP":
        raise BankError(f"it was not promoted: {reply.removeprefix('ER ')}")
