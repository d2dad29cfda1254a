"""Exports of a running node: accounts or journal into a file of the data folder, step by step."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Literal, NamedTuple

from bank_node.ledger.exports import WRITERS, Rows, account_rows, journal_rows, of_account
from bank_node.ledger.store import Store
from bank_node.service.jobs import Job
from bank_node.telemetry.events import Events

What = Literal["accounts", "journal"]

_ROWS_A_BREATH = 200


class Progress(NamedTuple):
    """What the latest export has come to. `path` is the file once it is whole."""

    what: str = ""
    rows: int = 0
    path: str = ""
    problem: str = ""


class Export:
    """Writes one file after the other into a folder."""

    def __init__(
        self, store: Store, folder: Path, job: Job, events: Events, now_us: Callable[[], int]
    ) -> None:
        self._store = store
        self._folder = folder
        self._events = events
        self._now_us = now_us
        self.job = job
        self.progress = Progress()

    def start(self, what: What, form: str, account: int | None = None) -> None:
        """Begins an export as `csv` or `json`; of a journal, all or what concerns one account.

        Raises Refused(ALREADY_RUNNING).
        """
        self.job.start(lambda: self._export(what, form, account))

    def _export(self, what: What, form: str, account: int | None) -> None:
        self.progress = Progress(what)
        moment = datetime.fromtimestamp(self._now_us() / 1e6, UTC).strftime("%Y%m%dT%H%M%S")
        name = what if account is None else f"{what}-{account}"
        path = self._folder / f"{name}-{moment}.{form}"
        part = path.with_name(path.name + ".part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with part.open("w", encoding="utf-8", newline="") as file:
                part.chmod(0o600)
                WRITERS[form](self._rows(what, account), file)
            os.replace(part, path)
        except OSError as error:
            self.progress = self.progress._replace(problem=error.strerror or str(error))
            self._events.tell("ExportFailed", f"{path}: {error.strerror}", "error", what=what)
            return
        finally:
            part.unlink(missing_ok=True)
        self.progress = self.progress._replace(path=str(path))
        self._events.tell("LedgerExported", f"{path}", what=what, rows=self.progress.rows)

    def _rows(self, what: What, account: int | None) -> Rows:
        if what == "accounts":
            return self._counted(self._paced(account_rows(self._store.accounts())))
        height = self._store.head.height
        blocks = takewhile(lambda block: block.height <= height, self._store.blocks())
        rows = self._paced(journal_rows(blocks))
        return self._counted(rows if account is None else of_account(rows, account))

    def _paced(self, rows: Rows) -> Rows:
        for count, row in enumerate(rows, 1):
            yield row
            if count % _ROWS_A_BREATH == 0:
                self.job.breathe()

    def _counted(self, rows: Rows) -> Rows:
        count = 0
        for count, row in enumerate(rows, 1):
            yield row
            if count % _ROWS_A_BREATH == 0:
                self.progress = self.progress._replace(rows=count)
        self.progress = self.progress._replace(rows=count)
