"""One connection to a MySQL-protocol server: statements, and what their failures mean.

A link never reconnects on its own inside a transaction: a lost connection is reported, and only
the next statement, which the caller knows to be a first one, opens a new one.
"""

import logging
from typing import Any

import mysql.connector
from mysql.connector.connection import MySQLConnection

from bank_node.errors import Reason, StoreError
from bank_node.ledger.mysql_address import Address
from bank_node.telemetry.clock import Clock

_log = logging.getLogger(__name__)
# The driver tells of every connection as if it were news.
logging.getLogger("mysql.connector").setLevel(logging.WARNING)

Row = tuple[Any, ...]

# Another transaction won, and this one has no effect at all: duplicate key, deadlock (which is
# also what Galera says of a write that lost), lock wait, changed row, and the words of TiDB and
# of group replication for the same.
_BEATEN = {1062, 1213, 1205, 1020, 3101, 8002, 8005, 8022, 8028, 9007}
_BEATEN_STATE = "40001"
_LOCK_WAIT = 1205
# The server has no room for the change and has undone it.
_FULL = {1021, 1114, 1041}
# The server is there and did nothing because it is read-only, perhaps after a fail-over. Another
# host may be the one to write to.
_READ_ONLY = {1290, 1792, 1836}
# The statement was refused before it did anything: rights, names, syntax.
_REFUSED = {1044, 1045, 1049, 1054, 1064, 1142, 1143, 1146, 1227, 1370}
_UNKNOWN_VARIABLE = 1193

# How long a host that could not be reached is left alone, at first and at most.
_PAUSE_MIN_S, _PAUSE_MAX_S = 0.05, 1.0
# The shares of the time to a reply that one connection and one statement may take. Together with
# finding out what became of a lost COMMIT they stay below the whole.
CONNECT_SHARE, STATEMENT_SHARE, LOCK_SHARE = 0.2, 0.4, 0.2

# READ COMMITTED reads what is there behind a lock that was waited for, in every engine.
_SETUP = (
    b"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    b"SET SESSION sql_mode = 'STRICT_ALL_TABLES', innodb_lock_wait_timeout = %(lock_s)d,"
    b" group_concat_max_len = 1048576",
)
# Galera: a read waits until its node has applied what the cluster has committed. MariaDB: a node
# that was stopped inside a transaction does not keep the others waiting for ever.
_SETUP_WHERE_KNOWN = (
    b"SET SESSION wsrep_sync_wait = 1",
    b"SET SESSION idle_transaction_timeout = %(idle_s)d",
)


class Beaten(Exception):
    """Another transaction was faster; this one has no effect.

    `by_waiting` says that a lock did not become free in time.
    """

    def __init__(self, message: str, *, by_waiting: bool) -> None:
        super().__init__(message)
        self.by_waiting = by_waiting


class Lost(Exception):
    """The statement ended in a way that leaves open what it did; its connection is closed."""


class Link:
    """One connection, opened when it is needed. Belongs to one thread at a time."""

    def __init__(self, address: Address, clock: Clock, timeout_s: float) -> None:
        """`timeout_s` is the time to a reply, of which a statement gets a part."""
        self._address = address
        self._clock = clock
        self._timeout_s = timeout_s
        self._connection: MySQLConnection | None = None
        self._host = 0
        self._pause_s = 0.0
        self._not_before_ns = 0
        self._away_since_ns: int | None = None
        self.packet_bytes_max = 0
        self.flush_at_commit = ""

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def execute(self, sql: bytes) -> int:
        """Carries a statement out; returns how many rows it changed.

        Raises Beaten, Lost, or StoreError if it certainly changed nothing.
        """
        affected: int = self._run(sql)[0].get("affected_rows", 0)
        return affected

    def rows(self, sql: bytes) -> list[Row]:
        """The rows of a query. Raises Beaten, Lost or StoreError."""
        return self._run(sql)[1]

    def _run(self, sql: bytes) -> tuple[dict[str, Any], list[Row]]:
        connection = self._connection or self.open()
        if self.packet_bytes_max and len(sql) >= self.packet_bytes_max:
            raise StoreError(
                f"a block of {len(sql)} bytes is more than max_allowed_packet of {self._address}",
                reason=Reason.STORE_FAILED,
                final=False,
            )
        timeout_s = self._timeout_s * STATEMENT_SHARE
        try:
            result = connection.cmd_query(sql, read_timeout=timeout_s, write_timeout=timeout_s)
            rows = connection.get_rows(read_timeout=timeout_s)[0] if "columns" in result else []
        except (mysql.connector.Error, OSError) as error:
            raise self._meaning(error) from error
        return result, rows

    def _meaning(self, error: Exception) -> Exception:
        """What an error of a statement means; everything doubtful closes the connection."""
        code = getattr(error, "errno", None)
        if code in _BEATEN or getattr(error, "sqlstate", None) == _BEATEN_STATE:
            return Beaten(str(error), by_waiting=code == _LOCK_WAIT)
        self.close()
        told = f"{self._address}: {' '.join(str(error).split())}"
        if code in _FULL:
            return StoreError(told, reason=Reason.STORE_FULL, final=False)
        if code in _READ_ONLY:
            self._away(told)
            return StoreError(told, reason=Reason.STORE_AWAY, final=False)
        if code in _REFUSED:
            return StoreError(told, reason=Reason.STORE_FAILED, final=False)
        return Lost(told)

    def open(self, *, at_once: bool = False) -> MySQLConnection:
        """Connects to the first host that answers. Raises StoreError.

        After a failure the hosts are left alone for a while, and calls fail without trying;
        `at_once` tries all the same.
        """
        if not at_once and self._clock.monotonic_ns() < self._not_before_ns:
            raise self._unreachable("still away")
        problem = ""
        for _ in self._address.hosts:
            try:
                self._connection = self._connect()
            except (mysql.connector.Error, OSError) as error:
                problem = " ".join(str(error).split())
                self._host = (self._host + 1) % len(self._address.hosts)
            else:
                self._is_back()
                return self._connection
        self._away(problem)
        raise self._unreachable(problem)

    def close(self) -> None:
        """Hangs up without a word; the server undoes what was not committed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            _hang_up(connection)

    def _unreachable(self, problem: str) -> StoreError:
        return StoreError(f"{self._address}: {problem}", reason=Reason.STORE_AWAY, final=False)

    def _away(self, problem: str) -> None:
        now_ns = self._clock.monotonic_ns()
        self._pause_s = min(_PAUSE_MAX_S, max(_PAUSE_MIN_S, 2 * self._pause_s))
        self._not_before_ns = now_ns + int(self._pause_s * 1e9)
        if self._away_since_ns is None:
            self._away_since_ns = now_ns
            _log.error("the database is away: %s", problem)

    def _is_back(self) -> None:
        self._pause_s, self._not_before_ns = 0.0, 0
        if self._away_since_ns is not None:
            away_s = (self._clock.monotonic_ns() - self._away_since_ns) / 1e9
            self._away_since_ns = None
            _log.warning("the database %s is back after %.1f s", self._address, away_s)

    def _connect(self) -> MySQLConnection:
        connection = MySQLConnection(**self._arguments())
        try:
            self._set_up(connection)
        except BaseException:
            _hang_up(connection)
            raise
        return connection

    def _arguments(self) -> dict[str, Any]:
        address = self._address
        host, port = address.hosts[self._host]
        arguments: dict[str, Any] = {
            "user": address.user,
            "password": address.password,
            "database": address.database,
            "autocommit": True,
            "charset": "utf8mb4",
            "collation": "utf8mb4_bin",
            "connection_timeout": self._timeout_s * CONNECT_SHARE,
        }
        if address.unix_socket:
            arguments["unix_socket"] = address.unix_socket
        else:
            arguments |= {"host": host, "port": port}
        if address.ssl == "off" or address.unix_socket:
            arguments["ssl_disabled"] = True
        if address.ssl_ca:
            arguments |= {"ssl_ca": address.ssl_ca, "ssl_verify_cert": True}
        return arguments

    def _set_up(self, connection: MySQLConnection) -> None:
        if self._address.ssl == "required" and not connection.is_secure:
            raise mysql.connector.InterfaceError("the server offers no TLS")
        timeout_s = self._timeout_s * CONNECT_SHARE
        if _is_cut_off(connection, timeout_s):
            raise mysql.connector.InterfaceError("the node is cut off from its cluster")
        whole_s = max(1, int(self._timeout_s * LOCK_SHARE))
        values = {b"lock_s": whole_s, b"idle_s": whole_s}
        for statement in _SETUP:
            connection.cmd_query(statement % values, read_timeout=timeout_s)
        for statement in _SETUP_WHERE_KNOWN:
            try:
                connection.cmd_query(statement % values, read_timeout=timeout_s)
            except mysql.connector.Error as error:
                if error.errno != _UNKNOWN_VARIABLE:
                    raise
        connection.cmd_query(
            b"SELECT @@max_allowed_packet, @@innodb_flush_log_at_trx_commit",
            read_timeout=timeout_s,
        )
        packet_bytes, flush = connection.get_rows(read_timeout=timeout_s)[0][0]
        self.packet_bytes_max, self.flush_at_commit = int(packet_bytes), str(flush)


def _hang_up(connection: MySQLConnection) -> None:
    connection.shutdown()
    # The driver leaves a socket open that the server has closed already.
    transport = connection._socket
    if transport is not None:
        transport.close_connection()


def _is_cut_off(connection: MySQLConnection, timeout_s: float) -> bool:
    """Whether a node of a Galera cluster is apart from the others, or still catching up.

    Such a node answers these two questions and hardly any other.
    """

    def shown(statement: bytes) -> bool:
        connection.cmd_query(statement, read_timeout=timeout_s)
        rows = connection.get_rows(read_timeout=timeout_s)[0]
        return any(value == "ON" for _, value in rows)

    in_cluster = shown(b"SHOW GLOBAL VARIABLES LIKE 'wsrep_on'")
    return in_cluster and not shown(b"SHOW GLOBAL STATUS LIKE 'wsrep_ready'")
