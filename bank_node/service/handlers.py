"""One short function a command, and the dict that binds codes to them.

A handler says which operation a request is, and how the operation's result is told. A command
that needs no ledger has no operation. Knows no sockets and no bytes.
"""

from collections.abc import Callable

from bank_node.errors import Reason, Refused
from bank_node.ledger.operations import (
    CloseAccount,
    Deposit,
    OpenAccount,
    Operation,
    ReadBalance,
    ReadClients,
    ReadLastEntry,
    ReadTotal,
    Withdraw,
)
from bank_node.service import following
from bank_node.service.calls import Arguments, Bank, Handler
from bank_node.service.disputes import DISPUTE_HANDLERS
from bank_node.service.letters import LETTER_HANDLERS
from bank_node.service.mandates import MANDATE_HANDLERS
from bank_node.service.operator import OPERATOR_HANDLERS
from bank_node.service.operator_network import NETWORK_HANDLERS
from bank_node.service.operator_payments import OVERSIGHT_HANDLERS
from bank_node.service.operator_transfers import TRANSFER_HANDLERS
from bank_node.service.payment_cash import CASH_HANDLERS
from bank_node.service.payment_news import NEWS_HANDLERS
from bank_node.service.payments import PAYMENT_HANDLERS
from bank_node.service.proofs import prove_consistency, prove_inclusion, sign_head, tell_head
from bank_node.service.quotes import QUOTE_HANDLERS
from bank_node.service.requests import REQUEST_HANDLERS
from bank_node.service.robbery import rob
from bank_node.service.transfers import (
    take_messages,
    tell_history,
    tell_received,
    told_state,
    transfer,
    transfer_elsewhere,
    transfer_state,
    transferred,
)
from bank_node.values import AccountAddress, Amount


def _bank_code(bank: Bank, _arguments: Arguments, _result: int) -> str:
    return f"BC {bank.code}"


def _open(bank: Bank, _arguments: Arguments) -> Operation:
    return OpenAccount(bank.draw())


def _opened(bank: Bank, _arguments: Arguments, number: int) -> str:
    return f"AC {number}/{bank.code}"


def _deposit(_bank: Bank, arguments: tuple[AccountAddress, Amount]) -> Operation:
    return Deposit(arguments[0][0], arguments[1])


def _withdraw(_bank: Bank, arguments: tuple[AccountAddress, Amount]) -> Operation:
    return Withdraw(arguments[0][0], arguments[1])


def _balance(_bank: Bank, arguments: tuple[AccountAddress]) -> Operation:
    return ReadBalance(arguments[0][0])


def _last_entry(_bank: Bank, arguments: tuple[AccountAddress]) -> Operation:
    return ReadLastEntry(arguments[0].number)


def _close(_bank: Bank, arguments: tuple[AccountAddress]) -> Operation:
    return CloseAccount(arguments[0].number)


def _help(bank: Bank, arguments: Arguments, _result: int) -> str:
    commands = bank.commands()
    if not arguments:
        codes = [row.code for row in commands.values()]
        return f"HE {bank.catalogue.command_list(codes)}"
    command = commands.get(arguments[0].encode("ascii"))
    if command is None:
        raise Refused(Reason.UNKNOWN_COMMAND)
    return f"HE {command.usage} -> {command.reply}: {bank.catalogue.summary(command)}"


def _version(bank: Bank, _arguments: Arguments, _result: int) -> str:
    return " ".join(("VE", bank.name, bank.version, *bank.capabilities))


def _link(bank: Bank, arguments: Arguments, _result: int) -> str:
    bank.network.noticed(arguments[0])
    return "LI"


def _numbered(code: str) -> Callable[[Bank, Arguments, int], str]:
    """A reply that tells the result as a number."""
    return lambda _bank, _arguments, result: f"{code} {result}"


HANDLERS: dict[str, Handler] = {
    "BC": Handler(_bank_code),
    "AC": Handler(_opened, _open),
    "AD": Handler("AD", _deposit),
    "AW": Handler("AW", _withdraw),
    "AB": Handler(_numbered("AB"), _balance),
    "AR": Handler("AR", _close),
    "BA": Handler(_numbered("BA"), lambda _bank, _arguments: ReadTotal()),
    "BN": Handler(_numbered("BN"), lambda _bank, _arguments: ReadClients()),
    "RP": Handler(work=rob),
    "LH": Handler(work=sign_head),
    "LL": Handler(_numbered("LL"), _last_entry),
    "LP": Handler(work=prove_inclusion),
    "LC": Handler(work=prove_consistency),
    "LW": Handler(tell_head),
    "TR": Handler(transferred, transfer, later=transfer_elsewhere),
    "TS": Handler(told_state, transfer_state, later=tell_received),
    "TM": Handler(later=take_messages),
    "TH": Handler(work=tell_history),
    "FB": Handler(later=following.deliver),
    "FT": Handler(work=following.claim),
    "FP": Handler(work=following.promote),
    "FS": Handler(work=following.tell),
    "HE": Handler(_help),
    "VE": Handler(_version),
    "LI": Handler(_link),
    "QU": Handler("QU"),
    **PAYMENT_HANDLERS,
    **QUOTE_HANDLERS,
    **CASH_HANDLERS,
    **NEWS_HANDLERS,
    **REQUEST_HANDLERS,
    **DISPUTE_HANDLERS,
    **LETTER_HANDLERS,
    **MANDATE_HANDLERS,
    **OPERATOR_HANDLERS,
    **OVERSIGHT_HANDLERS,
    **NETWORK_HANDLERS,
    **TRANSFER_HANDLERS,
}
