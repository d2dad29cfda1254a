"""`bank user`, `bank merchant`, `bank pay`: payments for people. PINs are asked for, never typed
as arguments: the command line of a process can be read by everybody on the machine.
"""

import json
import secrets
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from bank_node.banking.payments import qr
from bank_node.banking.payments.exchange import arriving
from bank_node.banking.payments.uri import UNITS, UriRefused, parse, to_decimal
from bank_node.cli.groups import Group
from bank_node.cli.options import PORT, SECONDS
from bank_node.network.client import Client, Kind
from bank_node.network.replies import code_of, judge
from bank_node.protocol.payment_values import to_word

_PORT = 65525
_EXIT_REFUSED = 1
_LOCAL = ("127.", "localhost")

Function = TypeVar("Function", bound=Callable[..., Any])


class Money(click.ParamType[int]):
    """An amount of currency such as 12.50, as units of the ledger."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        whole, point, part = str(value).partition(".")
        is_written_well = whole.isascii() and whole.isdigit() and len(whole) <= 17
        if not is_written_well or (point and not (part.isascii() and part.isdigit())):
            self.fail(f"{value!r} is not an amount such as 12.50", param, ctx)
        units = int(whole) * UNITS + int(part.ljust(2, "0") or 0) if len(part) <= 2 else 0
        if not 0 < units < 2**63:
            self.fail(f"{value!r} is not an amount above 0 with two decimals", param, ctx)
        return units


MONEY = Money()


class At:
    """The bank to talk to."""

    def __init__(self, host: str, port: int, timeout: float, *, insecure: bool) -> None:
        self._host = host
        self._connect = partial(Client, host, port, timeout)
        self._is_insecure = insecure

    def ask(self, *words: object) -> str:
        """A reply without its code; an `ER` is printed and ends the program with exit code 1.

        Raises UsageError for what is not one word: it would move the words after it.
        """
        texts = [str(word) for word in words]
        for text in texts:
            if len(text.split()) != 1:
                raise click.UsageError(f"{text!r} must be one word")
        line = " ".join(texts)
        with self._connect() as bank:
            answer = judge(code_of(line), bank.call(line))
        if answer.kind is not Kind.DONE:
            click.echo(answer.text)
            sys.exit(_EXIT_REFUSED)
        return answer.text[3:]

    def pin(self, what: str = "PIN", *, twice: bool = False) -> str:
        """A PIN from the terminal, or the next line of stdin."""
        if not self._is_insecure and not self._host.startswith(_LOCAL):
            raise click.UsageError(
                "a PIN would travel where others can read it; --insecure sends it all the same"
            )
        return secret(what, twice=twice)


def secret(what: str, *, twice: bool = False) -> str:
    """Something that must not be seen, from the terminal or the next line of stdin."""
    if sys.stdin.isatty():
        typed: str = click.prompt(what, hide_input=True, confirmation_prompt=twice)
    else:
        typed = sys.stdin.readline()
    words = typed.split()
    if len(words) != 1:
        raise click.UsageError(f"{what}: one word is needed")
    return words[0]


def at_bank(function: Function) -> Function:
    """`--host`, `--port`, `--timeout` and `--insecure`."""
    for option in (
        click.option("--insecure", is_flag=True, help="Send PINs where others can read them."),
        click.option(
            "--timeout",
            type=SECONDS,
            default=6.0,
            show_default=True,
            help="Seconds to wait for a reply.",
        ),
        click.option("--port", type=PORT, default=_PORT, show_default=True, help="Its port."),
        click.option("--host", default="127.0.0.1", show_default=True, help="The bank to talk to."),
    ):
        function = option(function)
    return function


@click.group(cls=Group)
def user() -> None:
    """Clients with a payment address: register, look, change what is theirs."""


@user.command("register")
@click.argument("vpa")
@click.option("--name", required=True, help="The client's name.")
@click.option("--mobile", required=True, help="Its mobile number.")
@at_bank
def register_user(vpa: str, name: str, mobile: str, **bank: Any) -> None:
    """Register VPA, such as alice@prague, and open an account for it."""
    at = At(**bank)
    pin = at.pin("New PIN", twice=True)
    account, mmid = at.ask("PU", vpa, to_word(name), mobile, pin).split()
    click.echo(f"account {account}\nmmid    {mmid}")


@user.command()
@click.argument("vpa")
@at_bank
def balance(vpa: str, **bank: Any) -> None:
    """What VPA has."""
    at = At(**bank)
    click.echo(to_decimal(int(at.ask("PB", vpa, at.pin()))))


@user.command()
@click.argument("vpa")
@click.argument("new")
@at_bank
def claim(vpa: str, new: str, **bank: Any) -> None:
    """Give the client of VPA the address NEW as well."""
    at = At(**bank)
    click.echo(at.ask("PV", vpa, new, at.pin()))


@user.command()
@click.argument("vpa")
@at_bank
def pin(vpa: str, **bank: Any) -> None:
    """Change the PIN of VPA."""
    at = At(**bank)
    at.ask("PN", vpa, at.pin(), at.pin("New PIN", twice=True))
    click.echo("changed")


@user.command()
@click.argument("vpa")
@click.option("--per-payment", type=MONEY, help="The most that one payment may be.")
@click.option("--per-day", type=MONEY, help="The most that may be spent in a day.")
@at_bank
def limits(vpa: str, per_payment: int | None, per_day: int | None, **bank: Any) -> None:
    """The limits of VPA; with options, lower ones for it."""
    at = At(**bank)
    word = at.pin()
    if per_day is not None and per_payment is None:
        per_payment = int(at.ask("PL", vpa, word).split()[0])
    wanted = [value for value in (per_payment, per_day) if value is not None]
    told = map(int, at.ask("PL", vpa, word, *wanted).split())
    for what, units in zip(("per payment", "per day", "left today"), told, strict=True):
        click.echo(f"{what:12}{to_decimal(units)}")


@user.command()
@click.argument("vpa")
@click.argument("state", type=click.Choice(["frozen", "active"]))
@at_bank
def freeze(vpa: str, state: str, **bank: Any) -> None:
    """Stop everything on the account of VPA (frozen), or let it go on (active)."""
    at = At(**bank)
    at.ask("PF", vpa, at.pin(), state)
    click.echo(state)


@user.command()
@click.argument("payee")
@at_bank
def resolve(payee: str, **bank: Any) -> None:
    """Who is behind PAYEE: an address, an account, or MOBILE:MMID."""
    for name, value in json.loads(At(**bank).ask("PR", payee)).items():
        click.echo(f"{name:10}{value}")


@click.group(cls=Group)
def merchant() -> None:
    """Shops: register one, and show the codes that its customers scan."""


@merchant.command("register")
@click.argument("vpa")
@click.option("--name", required=True, help="The shop's name.")
@click.option("--category", required=True, help="Its category, 4 digits (ISO 18245).")
@click.option("--mobile", required=True, help="Its mobile number.")
@at_bank
def register_merchant(vpa: str, name: str, category: str, mobile: str, **bank: Any) -> None:
    """Register the shop VPA; prints the token that its machines need."""
    at = At(**bank)
    pin = at.pin("New PIN", twice=True)
    told = at.ask("PM", vpa, to_word(name), category, mobile, pin).split()
    for what, value in zip(("account", "mmid", "token"), told, strict=True):
        click.echo(f"{what:8}{value}")


@merchant.command()
@click.option("--amount", type=MONEY, help="What is to be paid; without it the payer says.")
@click.option("--reference", help="The shop's name for the payment.")
@click.option("--seconds", type=int, help="How long the code may be paid.")
@click.option("--note", help="What it is for.")
@click.option("--png", type=click.Path(path_type=Path), help="Write the code to this PNG file.")
@click.option("--svg", type=click.Path(path_type=Path), help="Write the code to this SVG file.")
@at_bank
def code(
    amount: int | None,
    reference: str | None,
    seconds: int | None,
    note: str | None,
    png: Path | None,
    svg: Path | None,
    **bank: Any,
) -> None:
    """Show a code to scan; asks for the shop's token."""
    words = optional_words(amount, reference, seconds, note)
    text = At(**bank).ask("PG", secret("Token"), *words)
    if png:
        png.write_bytes(qr.png(text))
    if svg:
        svg.write_bytes(qr.svg(text))
    if sys.stdout.isatty() or not (png or svg):
        rows = qr.terminal(text)
        click.echo(qr.coloured(rows) if sys.stdout.isatty() else "\n".join(rows))
    click.echo(text)


def optional_words(
    amount: int | None, reference: str | None, seconds: int | None, note: str | None
) -> list[object]:
    """The arguments of `PG`; what is left out before something that is given is a usage error."""
    given = [amount, reference, seconds, note and to_word(note)]
    while given and given[-1] is None:
        given.pop()
    if None in given:
        raise click.UsageError("each of --amount, --reference, --seconds, --note needs the others "
                               "before it")  # fmt: skip
    return list(given)


@click.command()
@click.argument("payee")
@click.option("--from", "payer", required=True, help="The address that pays.")
@click.option("--amount", type=MONEY, help="How much; a code to scan may say it itself.")
@click.option("--reference", help="Your name for the payment; the same one pays once only.")
@click.option("--note", help="What it is for.")
@at_bank
def pay(
    payee: str,
    payer: str,
    amount: int | None,
    reference: str | None,
    note: str | None,
    **bank: Any,
) -> None:
    """Pay PAYEE: an address, an account, MOBILE:MMID, or the text of a code to scan."""
    at = At(**bank)
    reference = reference or f"pay-{secrets.token_hex(8)}"
    is_code = payee[:4].lower() == "upi:"
    asked = _amount_of(payee) if is_code else None
    told = _resolved(at, payee, asked)
    if amount is None:
        amount = told.get("costs")
    if amount is None:
        raise click.UsageError("say how much with --amount")
    named = f"{told['name']} ({told['payee']})" if told["name"] else told["payee"]
    click.echo(f"paying {to_decimal(amount)} to {named}, reference {reference}")
    if "rate" in told:
        click.echo(_quoted(told, amount, asked))
    pin = at.pin()
    if is_code:
        paid = at.ask("PY", payer, payee, amount, reference, pin)
    else:
        words = [to_word(note)] if note else []
        paid = at.ask("PP", payer, payee, amount, reference, pin, *words)
    payment, rrn = paid.split()
    click.echo(f"paid, payment {payment}, rrn {rrn}")


def _amount_of(text: str) -> int | None:
    """What a code asks for, in the currency of the payee's bank."""
    try:
        return parse(text).amount
    except UriRefused as error:
        raise click.UsageError(f"this code must not be paid: {error.why}") from None


def _resolved(at: At, payee: str, asked: int | None) -> dict[str, Any]:
    """The payee as its bank knows it, so that a payer sees whom it pays, and what that costs."""
    who = str(parse(payee).payee) if payee[:4].lower() == "upi:" else payee
    words = [] if asked is None else [asked]
    told: dict[str, Any] = json.loads(at.ask("PR", who, *words))
    return told


def _quoted(told: dict[str, Any], amount: int, asked: int | None) -> str:
    """What will arrive, before the payer agrees to it with a PIN."""
    arrives = asked if amount == told.get("costs") else arriving(amount, told["rate"])
    return f"{to_decimal(arrives or 0)} {told['currency']} will arrive, at {told['rate']} for 1"
