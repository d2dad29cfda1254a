"""The journal as rows for other programs: every entry, whatever it carries."""

import csv
import io
import json

from ledger_model import book, opened
from test_notes import Write

from bank_node.ledger import lookback
from bank_node.ledger.exports import journal_rows, of_account, write_csv, write_json
from bank_node.ledger.transfer_operations import Move


def test_an_entry_is_exported_whatever_it_carries(room):
    one, two = opened(room.store, 500, 0)
    book(room.store, Move("rent", one, two, 5))
    book(room.store, Write("a:key", b"a fact"))
    rows = list(journal_rows(room.store.blocks()))
    assert [row["transfer"] for row in rows if row["kind"] == "transferred"] == ["rent"]
    assert rows[-1]["kind"] == "noted"
    assert rows[-1]["transfer"] == ""
    (line, *_) = lookback.search(room.store, count=5).lines
    assert line.transfer is None

    (last,) = [row for row in of_account(iter(rows), two) if row["kind"] == "transferred"]
    assert (last["amount"], last["balance"]) == (5, 5)
    for write, read in ((write_csv, csv.DictReader), (write_json, json.load)):
        out = io.StringIO()
        write(iter(rows), out)
        out.seek(0)
        assert len(list(read(out))) == len(rows)
