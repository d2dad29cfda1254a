"""What all rooms of the tests share: how examples are drawn, and the MariaDB server of a run."""

import gc
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# A machine that is busy is no fault of what is tested.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def pytest_collection_finish() -> None:
    """The collected tests and their modules stay for the whole run: looking through them for
    garbage again and again was a tenth of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A running MariaDB server; tests that kill it start it again."""
    from support import mariadb as support
    from support.nodes import some_host

    if not support.is_installed():
        pytest.skip(support.MISSING)
    # Nobody else on this machine takes a port at that address.
    server = support.MariaDb(tmp_path_factory.mktemp("mariadb"), some_host())
    try:
        server.install()
        server.start()
        yield server
    finally:
        server.stop()
