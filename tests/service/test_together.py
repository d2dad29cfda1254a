"""Operations that requests hand over together: each hears its own result."""

from bank_node.ledger.operations import ReadClients, ReadTotal
from bank_node.service.together import Together


def test_each_hears_its_own_result_also_behind_one_that_is_gone():
    together, heard = Together(), []

    def gone(_result):
        raise RuntimeError("its loop is closed")

    together.add(ReadTotal(), lambda result: heard.append(("total", result)))
    together.add(ReadTotal(), gone)
    together.add(ReadClients(), lambda result: heard.append(("clients", result)))
    assert together.operations == [ReadTotal(), ReadTotal(), ReadClients()]
    together.deal([500, 500, 3])
    assert heard == [("total", 500), ("clients", 3)]
