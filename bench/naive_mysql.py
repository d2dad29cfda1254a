"""A bank on MariaDB as a first version is written: each command is a transaction of its own.

The same driver and the same server as the bank's store, without a socket server in front of it,
which is only to its advantage. One thread and one connection for each client.
"""

import random
import threading
import time
from dataclasses import dataclass
from typing import Any

from bench.errors import BenchError
from bench.mariadb_server import DATABASE, MariaDb

TABLES = (
    f"CREATE TABLE {DATABASE}.account (number INT PRIMARY KEY, balance BIGINT NOT NULL)",
    f"CREATE TABLE {DATABASE}.entry (id BIGINT AUTO_INCREMENT PRIMARY KEY,"
    " number INT NOT NULL, amount BIGINT NOT NULL)",
)


@dataclass(slots=True)
class _Client:
    connection: Any
    draws: random.Random
    accounts: int
    deposits: int = 0

    def deposit(self) -> None:
        number = self.draws.randrange(self.accounts)
        with self.connection.cursor() as cursor:
            cursor.execute("START TRANSACTION")
            cursor.execute("SELECT balance FROM account WHERE number = %s FOR UPDATE", (number,))
            (balance,) = cursor.fetchone()
            cursor.execute(
                "UPDATE account SET balance = %s WHERE number = %s", (balance + 1, number)
            )
            cursor.execute("INSERT INTO entry (number, amount) VALUES (%s, 1)", (number,))
            cursor.execute("COMMIT")
        self.deposits += 1


def naive_rate(
    server: MariaDb, clients: int, accounts: int, seconds: float, warmup_s: float
) -> float:
    """Deposits a second of so many clients; raises BenchError if one of them is lost."""
    server.empty_database()
    rows = ",".join(f"({number}, 0)" for number in range(accounts))
    server.ask(*TABLES, f"INSERT INTO {DATABASE}.account VALUES {rows}")
    everyone = [
        _Client(server.connect(database=DATABASE), random.Random(seed), accounts)
        for seed in range(clients)
    ]
    stop = threading.Event()

    def work(client: _Client) -> None:
        while not stop.is_set():
            client.deposit()

    threads = [threading.Thread(target=work, args=(client,)) for client in everyone]
    for thread in threads:
        thread.start()
    time.sleep(warmup_s)
    before, began_s = sum(each.deposits for each in everyone), time.perf_counter()
    time.sleep(seconds)
    done = sum(each.deposits for each in everyone) - before
    elapsed_s = time.perf_counter() - began_s
    stop.set()
    for thread in threads:
        thread.join()
    for each in everyone:
        each.connection.close()
    (stored,) = server.ask(f"SELECT SUM(balance) FROM {DATABASE}.account")[0]
    if stored != sum(each.deposits for each in everyone):
        raise BenchError(f"the naive client lost money: {stored} is stored")
    return done / elapsed_s
