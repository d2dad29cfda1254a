"""Two nodes of one bank on different members of a real Galera cluster, one of which is killed.

`make test-cluster` runs this; three database servers are more than the ordinary suite starts.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support import galera, mariadb
from support.galera import Cluster
from support.processes import Served
from support.shared_bank import Bank, balance

pytestmark = pytest.mark.cluster

_PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    if not (mariadb.is_installed() and galera.is_installed()):
        pytest.skip(galera.MISSING)
    with tempfile.TemporaryDirectory(prefix="bank-galera-") as folder:
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture
def database(cluster: Cluster) -> str:
    return cluster.members[0].new_database()


@pytest.fixture
def bank(cluster: Cluster, database: str, tmp_path: Path) -> Iterator[Bank]:
    """Node 1 works on the first member, node 2 on the second; each knows the others."""
    with ExitStack() as stack:

        def start(number: int) -> Served:
            order = {1: (0, 1, 2), 2: (1, 2, 0)}[number]
            served = Served(
                tmp_path / f"node{number}",
                f"127.0.41.{number}",
                BANK_STORE_URL=cluster.url(database, *order),
                BANK_NETWORK_CODE="10.77.7.8",
            )
            return stack.enter_context(served)

        yield Bank(start, _PATIENCE_S)


def test_a_member_killed_under_load_and_brought_back_loses_nothing(
    bank: Bank, cluster: Cluster, database: str, tmp_path: Path
) -> None:
    """Every account is worked on by clients of both nodes."""
    everywhere = [cluster.url(database, each) for each in range(3)]
    bank.open(6)
    bank.work(seed=1)
    cluster.members[0].kill()
    bank.await_progress(300)
    cluster.members[0].rejoin(cluster.addresses)
    cluster.await_size(3)
    bank.await_progress(300)
    bank.count(tmp_path, *everywhere)

    bank.work(seed=2)
    bank.restart(0)
    cluster.members[2].kill()
    bank.await_progress(300)
    bank.count(tmp_path, *everywhere[:2])
    cluster.members[2].rejoin(cluster.addresses)
    cluster.await_size(3)
    sums = f"SELECT COUNT(*), SUM(LENGTH(body)), MAX(height) FROM {database}.bank_blocks"
    assert len({member.ask(sums)[0] for member in cluster.members}) == 1
    assert balance(bank.nodes[0], "BN") == 6


def test_both_nodes_on_one_hot_account_lose_nothing(
    bank: Bank, cluster: Cluster, database: str, tmp_path: Path
) -> None:
    bank.open(1)
    bank.work(seed=3)
    bank.await_progress(1000)
    bank.count(tmp_path, *(cluster.url(database, each) for each in range(3)))
    lost = sum(client.unknown for client in bank.clients)
    assert lost == 0
