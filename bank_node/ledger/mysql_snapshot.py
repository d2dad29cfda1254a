"""Writes the rows of a MySQL ledger that lag behind its journal.

Every node on a bank knows which rows changed since they were last complete, and any of them may
bring them up to date; rows only ever get newer, so they may do it at the same time.
"""

from bank_node.ledger.audit import Anchor, Row, TransferRow
from bank_node.ledger.book import CASH, State
from bank_node.ledger.journal import Head
from bank_node.ledger.lagging_rows import Snapshot
from bank_node.ledger.mysql_link import Link
from bank_node.ledger.mysql_schema import SELECT_ANCHOR, move_anchor, write_rows, write_transfers

# Rows written after one block: few enough that its neighbours do not wait for them.
_PORTION_ROWS = 1024
# Rows written at once when nobody waits.
_LARGE_PORTION_ROWS = 8192


def start_round(snapshot: Snapshot, link: Link, head: Head, state: State) -> None:
    """Begins to carry the rows forward, unless another node has done so lately."""
    known = snapshot.sequence
    snapshot.written_elsewhere(Anchor._make(link.rows(SELECT_ANCHOR)[0]).sequence)
    if snapshot.sequence > known:
        # Where these are found can be read from the rows that the other node has written.
        state.forget_finished(snapshot.sequence)
    if snapshot.is_due(head):
        snapshot.start_round(head, state.accounts, _PORTION_ROWS)


def write_portion(snapshot: Snapshot, link: Link, state: State, records: int = 0) -> None:
    """Writes the next rows as they are in `state`, which must be durable.

    `records` is how many records the latest block has changed.
    """
    portion = snapshot.next_portion(records)
    if not portion:
        return
    rows = [_row(state, name) for name in portion if isinstance(name, int)]
    keys = [name for name in portion if isinstance(name, str)]
    transfers = state.transfer_rows(keys)
    if rows:
        link.execute(write_rows(rows))
    if transfers:
        link.execute(write_transfers(map(TransferRow._make, transfers)))
    goal = snapshot.goal_reached_by(portion)
    if goal is not None:
        link.execute(move_anchor(Anchor(goal.sequence, goal.height, goal.hash)))
    snapshot.done()
    # Where a finished record is found can be read from its row from now on.
    for key in keys:
        state.finished.pop(key, None)


def write_all(snapshot: Snapshot, link: Link, head: Head, state: State) -> None:
    """Brings the rows up to `head`; nobody waits."""
    snapshot.start_round(head, state.accounts, _LARGE_PORTION_ROWS)
    while snapshot.is_under_way:
        write_portion(snapshot, link, state)


def _row(state: State, number: int) -> Row:
    if number == CASH:
        return Row(CASH, state.cash, state.sequence, 1)
    account = state.accounts.get(number)
    if account is None:
        # A closed account leaves a row that says up to which entry it is closed.
        return Row(number, 0, state.sequence, 0)
    return Row(number, account.balance, account.last_entry, 1)
