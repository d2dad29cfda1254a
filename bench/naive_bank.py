"""Our own stand-in for a classic peer: a thread a connection, a transaction a command.

It is not anybody's submission. It is the straightforward node that an able student
writes, without the mistakes that made some peers lose money, and so an honest lower peer.
"""

import signal
import socket
import socketserver
import sqlite3
import threading
from pathlib import Path

import click

ACCOUNT_FIRST, ACCOUNT_LAST = 10000, 99999
AMOUNT_MAX = 2**63 - 1


class Book:
    """Accounts in SQLite; write-ahead log and a full sync on each commit."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS account (number INTEGER PRIMARY KEY, balance INTEGER)"
        )

    def create(self) -> int | None:
        with self._lock:
            (last,) = self._db.execute("SELECT max(number) FROM account").fetchone()
            number = ACCOUNT_FIRST if last is None else int(last) + 1
            if number > ACCOUNT_LAST:
                return None
            self._db.execute("INSERT INTO account VALUES (?, 0)", (number,))
            return number

    def maybe_balance(self, number: int) -> int | None:
        with self._lock:
            row = self._db.execute(
                "SELECT balance FROM account WHERE number = ?", (number,)
            ).fetchone()
        return None if row is None else int(row[0])

    def add(self, number: int, amount: int) -> bool:
        """Adds a possibly negative amount; refuses what would leave the range of a balance."""
        with self._lock:
            changed = self._db.execute(
                "UPDATE account SET balance = balance + ?1 WHERE number = ?2"
                " AND balance >= -?1 AND balance <= ?3 - max(?1, 0)",
                (amount, number, AMOUNT_MAX),
            )
            return changed.rowcount == 1

    def total(self) -> int:
        with self._lock:
            (total,) = self._db.execute("SELECT coalesce(sum(balance), 0) FROM account").fetchone()
        return int(total)


def answer(book: Book, code: str, line: str) -> str:
    command, *arguments = line.split() or [""]
    if command == "BC":
        return f"BC {code}"
    if command == "BA":
        return f"BA {book.total()}"
    if command == "AC":
        created = book.create()
        return "ER no account is left" if created is None else f"AC {created}/{code}"
    number, _, bank = arguments[0].partition("/") if arguments else ("", "", "")
    if bank != code or not number.isdecimal():
        return "ER unknown command or account"
    if command == "AB":
        balance = book.maybe_balance(int(number))
        return "ER no such account" if balance is None else f"AB {balance}"
    if command in ("AD", "AW") and len(arguments) == 2 and arguments[1].isdecimal():
        amount = int(arguments[1]) * (1 if command == "AD" else -1)
        return command if book.add(int(number), amount) else "ER the amount cannot be booked"
    return "ER unknown command"


class Handler(socketserver.StreamRequestHandler):
    server: "Server"

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def handle(self) -> None:
        for line in self.rfile:
            reply = answer(self.server.book, self.server.code, line.decode(errors="replace"))
            self.wfile.write(reply.encode() + b"\r\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], book: Book) -> None:
        super().__init__(address, Handler)
        self.book = book
        self.code = address[0]


@click.command()
@click.option("--host", default="127.0.0.1")
@click.option("--port", default=65525)
@click.option("--data", type=click.Path(path_type=Path), required=True)
@click.option("--config", help="Accepted and ignored, so that both nodes start alike.")
def main(host: str, port: int, data: Path, config: str | None) -> None:
    """Serve until SIGTERM, with the same options and ready line as the real node."""
    del config
    data.mkdir(parents=True, exist_ok=True)
    with Server((host, port), Book(data / "naive.db")) as server:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        print(f"ready {host}:{port}", flush=True)
        server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
