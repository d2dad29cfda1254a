"""`bank machine`: a till or a cash machine, a process of its own that talks to a bank.

A machine believes only what its bank says. While the bank is away it says so and tries again; it
keeps no money and no request that could be carried out later behind somebody's back.
"""

import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from bank_node.banking.payments import qr
from bank_node.banking.payments.uri import to_decimal
from bank_node.cli.groups import Group
from bank_node.cli.options import FILE
from bank_node.cli.payments import MONEY, At, at_bank, secret
from bank_node.network.client import Client, Unreachable
from bank_node.protocol.payment_values import to_word

_BELL = "\a"
_EXIT_UNPAID = 1
_PAUSE_MIN_S, _PAUSE_MAX_S = 0.5, 5.0
# A payment that was begun while the code could be paid may still be on its way.
_GRACE_S = 10
# How often a machine asks what became of cash before it sends the client to the bank.
_CASH_TRIES = 3


class Refusal(Exception):
    """What the bank says no with."""


class Line:
    """A kept connection to the bank; says once that it is lost, and once that it is back."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self._at = (host, port, timeout)
        self._client: Client | None = None
        self._is_lost = False

    def ask(self, line: str) -> str:
        """A reply without its code. Raises Refusal, or Unreachable."""
        try:
            if self._client is None:
                self._client = Client(*self._at, ends_lines=True)
            reply = self._client.call(line)
        except Unreachable as error:
            self.close()
            if not self._is_lost:
                self._is_lost = True
                click.echo(f"the bank does not answer: {error}")
            raise
        if self._is_lost:
            self._is_lost = False
            click.echo("the bank is back")
        if reply.startswith("ER"):
            raise Refusal(reply[3:])
        return reply[3:]

    def insist(self, line: str, tries: int | None = None) -> str:
        """A reply to something that may be asked again.

        Raises Refusal, or Unreachable after so many tries.
        """
        pause_s = _PAUSE_MIN_S
        while True:
            try:
                return self.ask(line)
            except Unreachable:
                tries = None if tries is None else tries - 1
                if tries == 0:
                    raise
            time.sleep(pause_s)
            pause_s = min(_PAUSE_MAX_S, 2 * pause_s)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _machine(bank: dict[str, Any]) -> tuple[At, Line]:
    return At(**bank), Line(bank["host"], bank["port"], bank["timeout"])


@click.group(cls=Group)
def machine() -> None:
    """Machines: a till that shows codes and says PAID, an ATM for cash."""


class Sale(NamedTuple):
    """What a till wants to be paid."""

    units: int
    reference: str
    seconds: int
    note: str | None


@machine.command()
@click.option("--amount", type=MONEY, help="One sale of this; without it, amounts are asked for.")
@click.option("--reference", help="The shop's name for the sale; without it, one is made.")
@click.option("--seconds", default=300, show_default=True, type=click.IntRange(1, 2_592_000),
              help="How long a code may be paid.")  # fmt: skip
@click.option("--note", help="What it is for.")
@click.option("--token-file", type=FILE, help="Holds the shop's token.")
@at_bank
def till(
    amount: int | None,
    reference: str | None,
    seconds: int,
    note: str | None,
    token_file: Path | None,
    **bank: Any,
) -> None:
    """Show a code for each amount and say PAID when it is paid; asks for the shop's token.

    With --amount the exit code is 1 if the sale is not paid in time.
    """
    _, line = _machine(bank)
    vmid = token_file.read_text("ascii", "replace").strip() if token_file else secret("Token")
    try:
        if amount is not None:
            name = reference or _new_reference()
            if not _sell(line, vmid, Sale(amount, name, seconds, note)):
                sys.exit(_EXIT_UNPAID)
            return
        for units in _amounts():
            _sell(line, vmid, Sale(units, _new_reference(), seconds, note))
    finally:
        line.close()


def _new_reference() -> str:
    return f"till-{secrets.token_hex(8)}"


def _amounts() -> Iterator[int]:
    """Amounts as they are typed, until the end of the input; what is no amount is said so."""
    while True:
        click.echo("amount> ", nl=False)
        text = sys.stdin.readline()
        if not text:
            return
        if text.strip():
            try:
                yield MONEY.convert(text.strip(), None, None)
            except click.UsageError as error:
                click.echo(error.message)


def _sell(line: Line, vmid: str, sale: Sale) -> bool:
    """One sale: the code is shown, and PAID said, or that it is not paid. Whether it was paid."""
    try:
        # From here on nothing is missed: the cursor is older than the code.
        cursor = json.loads(line.insist(f"PE {vmid}"))["cursor"]
        words = [sale.units, sale.reference, sale.seconds]
        words += [to_word(sale.note)] if sale.note else []
        text = line.insist(" ".join(map(str, ("PG", vmid, *words))))
    except Refusal as refusal:
        click.echo(f"the bank refuses: {refusal}")
        return False
    rows = qr.terminal(text)
    click.echo(qr.coloured(rows) if sys.stdout.isatty() else "\n".join(rows))
    click.echo(text)
    click.echo(f"to pay: {to_decimal(sale.units)}, reference {sale.reference}")
    until = time.monotonic() + sale.seconds + _GRACE_S
    while (left_s := until - time.monotonic()) > 0:
        try:
            told = json.loads(line.insist(f"PE {vmid} {cursor}", tries=max(1, int(left_s))))
        except Refusal as refusal:
            click.echo(f"the bank refuses: {refusal}")
            return False
        except Unreachable:
            continue
        cursor = told["cursor"]
        for event in told["news"]:
            if _is_for(event, sale):
                click.echo(f"{_BELL}PAID {to_decimal(sale.units)} by {event['payer']}, "
                           f"rrn {event['rrn']}")  # fmt: skip
                return True
    click.echo("NOT PAID, the code has expired")
    return False


def _is_for(event: dict[str, Any], sale: Sale) -> bool:
    wanted = ("payee", "success", sale.reference, sale.units)
    return (event["you"], event["state"], event.get("order"), event["amount"]) == wanted


@machine.command()
@at_bank
def atm(**bank: Any) -> None:
    """Balance, cash out and in, with an address and a PIN: `balance`, `draw 20`, `pay in 50`."""
    at, line = _machine(bank)
    try:
        while True:
            vpa = _typed("address> ")
            if vpa is None:
                return
            if vpa:
                _serve(line, vpa, at.pin)
    finally:
        line.close()


def _typed(prompt: str) -> str | None:
    """The next line of the input; None at its end."""
    click.echo(prompt, nl=False)
    text = sys.stdin.readline()
    return text.strip() if text else None


def _serve(line: Line, vpa: str, ask_pin: Callable[[], str]) -> None:
    """One client, one wish. The PIN is forgotten with it."""
    pin, wish = ask_pin(), _typed("balance, draw AMOUNT or pay in AMOUNT> ") or ""
    verb, _, amount = wish.rpartition(" ")
    try:
        if wish == "balance":
            click.echo(f"balance {to_decimal(int(line.ask(f'PB {vpa} {pin}')))}")
        elif verb in ("draw", "pay in"):
            _cash(line, verb, vpa, pin, MONEY.convert(amount, None, None))
        else:
            click.echo("say balance, draw 20.00 or pay in 20.00")
    except (Refusal, click.UsageError) as error:
        click.echo(str(error) if isinstance(error, Refusal) else error.message)
    except Unreachable:
        click.echo("nothing was done")


def _cash(line: Line, verb: str, vpa: str, pin: str, units: int) -> None:
    """Cash comes out, or is taken, only once the bank has said yes.

    Asking again is safe: the reference makes it the same request.
    """
    code = "PW" if verb == "draw" else "PI"
    reference = f"atm-{secrets.token_hex(8)}"
    try:
        told = line.insist(f"{code} {vpa} {units} {reference} {pin}", _CASH_TRIES)
    except Unreachable:
        click.echo(f"nobody knows whether it was booked; no cash was moved. "
                   f"Ask your bank, reference {reference}")  # fmt: skip
        return
    moved = "take your cash" if verb == "draw" else "booked"
    click.echo(f"{moved}: {to_decimal(units)}, rrn {told.split()[1]}")
