"""What several rooms of the tests share: the one MariaDB server of a run."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A running MariaDB server; tests that kill it start it again."""
    from support import mariadb as support

    if not support.is_installed():
        pytest.skip(support.MISSING)
    server = support.MariaDb(tmp_path_factory.mktemp("mariadb"))
    try:
        server.install()
        server.start()
        yield server
    finally:
        server.stop()
