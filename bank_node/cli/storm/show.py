"""The show itself: a table while it lasts, then peace, then the count."""

import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from bank_node.cli.child import Bank
from bank_node.cli.storm.audit import Audit, Books
from bank_node.cli.storm.mischief import Mischief, entrance_of
from bank_node.cli.storm.traffic import Traffic
from bank_node.cli.words import told_harm
from bank_node.errors import BankError

if TYPE_CHECKING:
    from rich.table import Table

_REFRESH_S = 0.5
# Without a terminal there is a line from time to time instead of a table.
_LINE_S = 5.0
_RATE_S = 5.0
_PEACE_S = 60.0
_POLL_S = 0.5
_ACCOUNTS_MAX = 40
_EXIT_MISSING = 1
_PROBLEMS_SHOWN = 10
_STYLES = {"serving": "green", "killed": "red", "frozen": "yellow"}


def show(network: Sequence[Bank], stop: threading.Event, seconds: float | None) -> int:
    """Runs until `stop` or for so long, heals, counts; the exit code. Raises BankError."""
    if len(network) < 2:
        raise click.UsageError("--faults needs two banks at least")
    await_peace(network)
    accounts, money = _accounts(network), _money(network)
    click.echo(f"{len(network)} banks hold {money:,} units together; Ctrl+C ends the storm.\n")
    traffic, mischief = Traffic(network, accounts), Mischief(network)
    traffic.start()
    mischief.start()
    try:
        _watch(Board(network, traffic, mischief, money), stop, seconds)
    finally:
        click.echo("\nhealing: every bank serves, every cable is plugged in ...")
        mischief.heal()
    healed_at = time.monotonic()
    traffic.stop()
    await_peace(network)
    click.echo(f"all transfers have ended after {time.monotonic() - healed_at:.1f} s more; "
               "the banks are stopped and counted:\n")  # fmt: skip
    for bank in network:
        bank.stop()
    return _judge(network, traffic, mischief, money)


def _accounts(network: Sequence[Bank]) -> dict[str, list[str]]:
    """Some accounts of each bank."""
    found = {}
    for bank in network:
        with entrance_of(bank) as operator:
            rows = operator.document("OC", count=_ACCOUNTS_MAX, sort="-balance")["rows"]
        found[bank.host] = [f"{row['number']}/{bank.host}" for row in rows]
    return found


def _money(network: Sequence[Bank]) -> int:
    total = 0
    for bank in network:
        with bank.client() as client:
            total += int(client.call("BA").removeprefix("BA "))
    return total


def await_peace(network: Sequence[Bank]) -> None:
    """Waits until no transfer is open anywhere, for a minute at most."""
    give_up = time.monotonic() + _PEACE_S
    while time.monotonic() < give_up and any(_open(bank)["open"] for bank in network):
        time.sleep(_POLL_S / 5)


def _open(bank: Bank) -> dict[str, Any]:
    with entrance_of(bank) as operator:
        return operator.document("OF", count=1)


class Board:
    """What is known of every bank now, asked for by a thread for each."""

    def __init__(
        self, network: Sequence[Bank], traffic: Traffic, mischief: Mischief, money: int
    ) -> None:
        self._network, self._traffic, self._mischief = network, traffic, mischief
        self._money = money
        self._rows: dict[str, dict[str, int]] = {bank.host: {} for bank in network}
        self._yes: deque[tuple[float, int]] = deque()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(bank,), daemon=True)
                         for bank in network]  # fmt: skip

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Keeps the figures up to date while a block lasts."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            # A frozen bank answers when it is thawed, so nobody waits for these threads.
            self._stop.set()

    def _ask(self, bank: Bank) -> None:
        while not self._stop.wait(_POLL_S):
            with suppress(BankError, OSError, click.ClickException), entrance_of(bank) as operator:
                while not self._stop.wait(_POLL_S):
                    flights = operator.document("OF", count=1)
                    owed = operator.document("OU")["rows"]
                    self._rows[bank.host] = {
                        "money": operator.document("OS")["total"],
                        "open": flights["open"],
                        "in_doubt": flights["in_doubt"],
                        "owes": -sum(row["net"] for row in owed),
                    }

    def rate(self) -> float:
        """Committed transfers a second, as of the last few."""
        now, (yes, _, _) = time.monotonic(), self._traffic.tally.counts()
        self._yes.append((now, yes))
        while len(self._yes) > 1 and now - self._yes[1][0] >= _RATE_S:
            self._yes.popleft()
        since, before = self._yes[0]
        return (yes - before) / (now - since) if now > since else 0.0

    def line(self) -> str:
        """Everything in one line."""
        yes, no, unanswered = self._traffic.tally.counts()
        states = " ".join(f"{host}:{self._state(host)}" for host in self._rows)
        flying = sum(row.get("open", 0) for row in self._rows.values())
        return (f"{self.rate():.0f} committed/s, {yes} yes, {no} no, {unanswered} unanswered, "
                f"{flying} under way; {states}")  # fmt: skip

    def _state(self, host: str) -> str:
        state = self._mischief.state[host]
        cut = [other for cable in list(self._mischief.cut) if host in cable
               for other in cable if other != host]  # fmt: skip
        return f"{state}, no cable to {' '.join(sorted(cut))}" if cut else state

    def table(self) -> "Table":
        """Everything as a table."""
        from rich.table import Table

        table = Table(expand=True)
        table.add_column("bank")
        table.add_column("state", ratio=1, no_wrap=True)
        for name in ("money", "owes others", "under way", "in doubt", "killed", "frozen"):
            table.add_column(name, justify="right", no_wrap=True)
        for host, row in self._rows.items():
            state = self._mischief.state[host]
            text = f"[{_STYLES[state]}]{self._state(host)}[/]"
            figures = (f"{row[name]:,}" if name in row else "?"
                       for name in ("money", "owes", "open", "in_doubt"))  # fmt: skip
            table.add_row(host, text, *figures, str(self._mischief.kills[host]),
                          str(self._mischief.freezes[host]))  # fmt: skip
        yes, no, unanswered = self._traffic.tally.counts()
        rows = self._rows.values()
        table.caption = (
            f"{self.rate():,.0f} committed/s · {yes:,} told yes · {no:,} told no · "
            f"{unanswered:,} not answered yet\n{self._mischief.cuts} cables pulled · "
            f"{sum(row.get('money', 0) for row in rows):,} of {self._money:,} units in sight"
        )
        return table


def _watch(board: Board, stop: threading.Event, seconds: float | None) -> None:
    """Shows the board until the end."""
    give_up = time.monotonic() + seconds if seconds is not None else float("inf")
    with board.asking():
        if not sys.stdout.isatty():
            while not stop.wait(max(0.0, min(_LINE_S, give_up - time.monotonic()))):
                if time.monotonic() >= give_up:
                    break
                click.echo(board.line())
            return
        from rich.live import Live

        with Live(board.table(), refresh_per_second=4) as live:
            while time.monotonic() < give_up and not stop.wait(_REFRESH_S):
                live.update(board.table())


def _judge(network: Sequence[Bank], traffic: Traffic, mischief: Mischief, money: int) -> int:
    """Counts, tells, and says with what code to end."""
    books = [Books(bank.host, bank.folder) for bank in network]
    tally = traffic.tally
    audit = Audit(books, money, tally.asked, tally.yes, tally.no)
    yes, no, unanswered = tally.counts()
    for each in books:
        click.echo(f"bank verify {each.host}: {'fits' if each.verified.fits else 'NO'}, "
                   f"{each.verified.total:>11,} units, {each.verified.told}")  # fmt: skip
        owed = ", ".join(f"{bank} {amount:+,}" for bank, amount in sorted(each.positions.items()))
        click.echo(f"  owes: {owed or 'nobody anything'}")
    harm = told_harm(sum(mischief.kills.values()), sum(mischief.freezes.values()), mischief.cuts)
    click.echo(
        f"\n{harm}\n"
        f"{yes:,} transfers were told to be carried out, {no:,} refused; of {unanswered:,} that "
        f"nobody was told about {audit.late[0]} were carried out and {audit.late[1]} not\n"
        f"{audit.total:,} units are there, {money:,} have to be"
    )
    for problem in audit.problems[:_PROBLEMS_SHOWN]:
        click.echo(f"MISSING: {problem}")
    click.echo("not a unit is missing" if not audit.problems else
               f"{len(audit.problems)} things are not as they have to be")  # fmt: skip
    return _EXIT_MISSING if audit.problems else 0
