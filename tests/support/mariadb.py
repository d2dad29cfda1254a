"""A real MariaDB server of the tests' own: started, killed and asked by them alone."""

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from itertools import count
from pathlib import Path
from typing import Any

import mysql.connector

from bank_node.ledger.mysql_address import parse_address
from bank_node.ledger.mysql_store import MysqlStore
from bank_node.telemetry.clock import Clock
from support.polling import until

USER, PASSWORD = "bank", "p:@ss/w?rd"
QUOTED_PASSWORD = "p%3A%40ss%2Fw%3Frd"
MISSING = "MariaDB is not installed (apt install mariadb-server)"

# What makes a server start quickly and stay small; nothing that makes a commit less durable.
_OPTIONS = (
    "--no-defaults",
    "--skip-name-resolve",
    "--skip-networking=0",
    "--innodb-buffer-pool-size=48M",
    "--innodb-log-file-size=24M",
    "--performance-schema=OFF",
    "--lower-case-table-names=0",
)
_START_S = 90.0
_numbers = count(1)


def is_installed() -> bool:
    return _server() is not None and shutil.which("mariadb-install-db") is not None


def _server() -> str | None:
    return shutil.which("mariadbd", path=os.environ.get("PATH", "") + ":/usr/sbin")


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def open_store(url: str, timeout_s: float = 5.0) -> MysqlStore:
    """The store at a URL, with the real clock."""
    clock = Clock(lambda: time.time_ns() // 1000, time.monotonic_ns)
    return MysqlStore(parse_address(url), clock, lambda: random.getrandbits(64), timeout_s)


class MariaDb:
    """A server with a folder, a socket and a loopback port of its own."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", user: str = "root") -> None:
        """`user` is who it runs as when the tests run as root."""
        self.folder = folder
        self.host = host
        self.port = free_port(host)
        self.socket = folder / "s"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        # A server started by root changes to root explicitly, or it refuses.
        self._user = [f"--user={user}"] if os.geteuid() == 0 else []
        if self._user:
            shutil.chown(folder, user)

    def install(self) -> None:
        """Makes the server's own tables."""
        command = ["mariadb-install-db", "--no-defaults", *self._user, self._temporary()]
        command += [f"--datadir={self.folder / 'data'}", "--skip-test-db", "--skip-name-resolve"]
        command += ["--auth-root-authentication-method=normal", "--innodb-log-file-size=24M"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{done.stderr[-2000:]}\n{done.stdout[:300]}"

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self, *more: str) -> None:
        """Starts the server and waits until it answers."""
        self.launch(*more)
        self.await_answer()

    def _temporary(self) -> str:
        """A starting server removes the temporary tables of all others that share its folder."""
        folder = self.folder / "tmp"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
        return f"--tmpdir={folder}"

    def command(self) -> list[str]:
        """How this server is started."""
        server = _server()
        assert server
        command = [server, *_OPTIONS, *self._user, self._temporary()]
        command += [f"--datadir={self.folder / 'data'}"]
        command += [f"--socket={self.socket}", f"--bind-address={self.host}"]
        return [*command, f"--port={self.port}", f"--pid-file={self.folder / 'pid'}"]

    def launch(self, *more: str) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self.command(), *more], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def await_answer(self) -> None:
        def answers() -> bool:
            assert self._process
            assert self._process.poll() is None, self.tail()
            try:
                self.ask("SELECT 1")
            except (mysql.connector.Error, OSError):
                return False
            return True

        until(answers, f"the database at {self.host}:{self.port} answers", _START_S)

    def tail(self) -> str:
        lines = (self.folder / "log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])

    def kill(self) -> None:
        """The end that asks nobody."""
        assert self._process
        self._process.kill()
        self._process.wait(30)

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)
        # Its threads hear of it one after the other, and one that still runs may answer.
        until(self._stands_still, "every thread of the server stands still")

    def _stands_still(self) -> bool:
        states = [
            path.read_text().rpartition(")")[2].split()[0]
            for path in Path(f"/proc/{self.pid}/task").glob("*/stat")
        ]
        return set(states) == {"T"}

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def connect(self, **more: Any) -> Any:
        """A connection of the server's own root."""
        return mysql.connector.connect(
            unix_socket=str(self.socket), user="root", use_pure=True, autocommit=True,
            charset="utf8mb4", collation="utf8mb4_bin", connection_timeout=5, **more,
        )  # fmt: skip

    def ask(self, *statements: str) -> list[tuple[Any, ...]]:
        """Carries statements out as root; the rows of the last one."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                    rows = cursor.fetchall() if cursor.description else []
            return list(rows)
        finally:
            connection.close()

    def new_database(self) -> str:
        """Creates an empty database and returns its name."""
        name = f"bank{next(_numbers)}"
        self.ask(
            f"CREATE DATABASE {name}",
            f"CREATE USER IF NOT EXISTS {USER}@'%' IDENTIFIED BY '{PASSWORD}'",
            f"GRANT ALL ON {name}.* TO {USER}@'%'",
        )
        return name

    def url(self, database: str) -> str:
        return f"mysql://{USER}:{QUOTED_PASSWORD}@{self.host}:{self.port}/{database}"

    def kill_connections(self) -> int:
        """KILLs every connection of the banks, whatever it is in the middle of."""
        rows = self.ask(f"SELECT id FROM information_schema.processlist WHERE user = '{USER}'")
        killed = 0
        for (number,) in rows:
            try:
                self.ask(f"KILL CONNECTION {number}")
                killed += 1
            except mysql.connector.Error:
                pass
        return killed
