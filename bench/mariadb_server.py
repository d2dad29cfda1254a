"""MariaDB as it is installed, with durable commits: one server, or a Galera cluster of three.

Knows Debian's paths and the options of both; every server starts from an empty folder on the
measured disk and listens on loopback only.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import mysql.connector

from bench.errors import BenchError, NotInstalledError
from bench.processes import Process, stopping

PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")
USER, PASSWORD, DATABASE = "bench", "bench", "bank"
READY_TIMEOUT_S = 60.0
POLL_S = 0.1
# Room for what is measured; everything that decides about durability is left at its default of
# one sync a commit.
OPTIONS = (
    "--no-defaults",
    "--skip-name-resolve",
    "--skip-networking=0",
    "--innodb-buffer-pool-size=256M",
    "--innodb-flush-log-at-trx-commit=1",
)
MEMBERS = ("127.0.2.1", "127.0.2.2", "127.0.2.3")


def find_mariadb() -> Path | None:
    found = shutil.which("mariadbd", path=os.environ.get("PATH", "") + ":/usr/sbin")
    return Path(found) if found else None


def url(*servers: "MariaDb") -> str:
    """The URL of a bank's store on these servers, asked in this order."""
    hosts = ",".join(f"{each.host}:{each.port}" for each in servers)
    return f"mysql://{USER}:{PASSWORD}@{hosts}/{DATABASE}"


class MariaDb:
    """One server that is not running yet."""

    def __init__(self, folder: Path, host: str) -> None:
        binary = find_mariadb()
        if binary is None:
            raise NotInstalledError("MariaDB", "apt install mariadb-server")
        self.host = host
        self.port = _free_port(host)
        self._binary = binary
        self._folder = folder
        self._socket = folder / "s"
        # Started by root it has to change to somebody, and Galera's tools refuse root.
        self._user = "mysql" if os.geteuid() == 0 else None
        folder.mkdir()
        # A starting server removes the temporary tables of all others that share its folder.
        self._temporary = folder / "tmp"
        self._temporary.mkdir()
        if self._user:
            shutil.chown(folder, self._user)
            shutil.chown(self._temporary, self._user)
        self._install()

    def _install(self) -> None:
        command = ["mariadb-install-db", "--no-defaults", f"--datadir={self._folder / 'data'}"]
        command += ["--skip-test-db", "--auth-root-authentication-method=normal"]
        command += [f"--tmpdir={self._temporary}"]
        command += [f"--user={self._user}"] if self._user else []
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise BenchError(f"mariadb-install-db failed: {run.stderr.strip()}")

    @contextmanager
    def running(self, *more: str) -> Iterator["MariaDb"]:
        command: list[str | Path] = [self._binary, *OPTIONS, f"--datadir={self._folder / 'data'}"]
        command += [f"--tmpdir={self._temporary}"]
        command += [f"--socket={self._socket}", f"--bind-address={self.host}"]
        command += [f"--port={self.port}", f"--pid-file={self._folder / 'pid'}", *more]
        command += [f"--user={self._user}"] if self._user else []
        with stopping(Process(command, self._folder / "log")) as process:
            self._await_answer(process)
            yield self

    def _await_answer(self, process: Process) -> None:
        deadline_s = time.perf_counter() + READY_TIMEOUT_S
        while time.perf_counter() < deadline_s:
            try:
                self.ask("SELECT 1")
                return
            except (mysql.connector.Error, OSError):
                time.sleep(POLL_S)
        raise process.failure(f"did not answer within {READY_TIMEOUT_S:g} s")

    def connect(self, **more: Any) -> Any:
        return mysql.connector.connect(
            unix_socket=str(self._socket), user="root", use_pure=True, autocommit=True,
            charset="utf8mb4", collation="utf8mb4_bin", **more,
        )  # fmt: skip

    def ask(self, *statements: str) -> list[Any]:
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

    def empty_database(self) -> None:
        self.ask(
            f"DROP DATABASE IF EXISTS {DATABASE}",
            f"CREATE DATABASE {DATABASE}",
            f"CREATE USER IF NOT EXISTS {USER}@'%' IDENTIFIED BY '{PASSWORD}'",
            f"GRANT ALL ON {DATABASE}.* TO {USER}@'%'",
        )


@contextmanager
def one_server() -> Iterator[MariaDb]:
    with _open_folder() as folder:
        server = MariaDb(folder / "db", "127.0.0.1")
        with server.running():
            yield server


@contextmanager
def cluster() -> Iterator[Sequence[MariaDb]]:
    """Three members in step with each other."""
    if not PROVIDER.exists():
        raise NotInstalledError("Galera", "apt install galera-4 rsync")
    with _open_folder() as folder, ExitStack() as stack:
        members = [MariaDb(folder / host, host) for host in MEMBERS]
        ports = [_free_port(host) for host in MEMBERS]
        group = ",".join(f"{m.host}:{port}" for m, port in zip(members, ports, strict=True))
        for member, port in zip(members, ports, strict=True):
            begins = ["--wsrep-new-cluster"] if member is members[0] else []
            options = _group_options(member.host, port, group)
            stack.enter_context(member.running(*options, *begins))
            _await_step(member)
        yield members


def _group_options(host: str, port: int, group: str) -> list[str]:
    provider = f"gmcast.listen_addr=tcp://{host}:{port};ist.recv_addr={host}:{_free_port(host)}"
    return [
        "--wsrep-on=ON",
        f"--wsrep-provider={PROVIDER}",
        f"--wsrep-cluster-address=gcomm://{group}",
        "--wsrep-cluster-name=bench",
        f"--wsrep-node-name={host}",
        f"--wsrep-node-address={host}:{port}",
        f"--wsrep-provider-options={provider}",
        "--wsrep-sst-method=rsync",
        f"--wsrep-sst-receive-address={host}:{_free_port(host)}",
        "--binlog-format=ROW",
        "--innodb-autoinc-lock-mode=2",
    ]


def _await_step(member: MariaDb) -> None:
    deadline_s = time.perf_counter() + READY_TIMEOUT_S
    while time.perf_counter() < deadline_s:
        if member.ask("SHOW STATUS LIKE 'wsrep_local_state_comment'")[0][1] == "Synced":
            return
        time.sleep(POLL_S)
    raise BenchError(f"{member.host} did not get into step with its cluster")


@contextmanager
def _open_folder() -> Iterator[Path]:
    """A folder that the server's own user can look into; the one of the bench may be private."""
    with tempfile.TemporaryDirectory(prefix="bank-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
