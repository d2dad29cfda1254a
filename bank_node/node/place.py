"""What a node is to be in its bank when it starts: leader or follower, and of which bank.

Reads the settings and the note of earlier runs; a promotion outlives the command line that the
node was once started with.
"""

import logging
import secrets

import msgspec

from bank_node.config import IDENTITY_FILE, OFFICE_FILE, Settings, data_folder
from bank_node.errors import BankError, StartupError
from bank_node.ledger.office import Office
from bank_node.node.following import learn_bank
from bank_node.security.identity import SEED_BYTES, Identity, obtain_identity, read_identity

_log = logging.getLogger(__name__)


def open_office(settings: Settings) -> Office:
    """What is known of the term of office. Raises StartupError."""
    return Office(data_folder(settings) / OFFICE_FILE, secrets.token_hex(8))


def identity_of(settings: Settings) -> Identity:
    """The key of the bank, made at the first start of a leader. Raises StartupError."""
    path = data_folder(settings) / IDENTITY_FILE
    if settings.replication.follow and not path.exists():
        raise StartupError(
            f"a follower keeps the same bank: copy {IDENTITY_FILE} from the data folder of the "
            f"node that it follows to {path}"
        )
    if settings.replication.follow:
        return read_identity(path)
    return obtain_identity(path, lambda: secrets.token_bytes(SEED_BYTES))


def take_place(settings: Settings, office: Office) -> Settings:
    """Follows if the settings say so; returns them with the code of the bank that is kept.

    Raises StartupError.
    """
    leader = settings.replication.follow
    if leader and office.leads and office.epoch > 1:
        _log.warning("this node was promoted and leads the bank, so it does not follow %s", leader)
    elif leader:
        try:
            bank = office.bank or learn_bank(leader, settings.network.timeout)
            office.begin_to_follow(bank, leader)
        except (BankError, OSError) as error:
            raise StartupError(f"{leader} cannot be followed: {error}") from None
    if not office.bank:
        return settings
    if settings.network.code not in ("", office.bank):
        raise StartupError(f"this is a copy of the bank {office.bank}, not {settings.network.code}")
    network = msgspec.structs.replace(settings.network, code=office.bank)
    return msgspec.structs.replace(settings, network=network)
