"""Requests of several steps: what a client is told when a step goes wrong."""

from types import SimpleNamespace

import pytest

from bank_node.errors import Reason
from bank_node.ledger.operations import Deposit, ReadClients
from bank_node.service.steps import Walk

READ, WRITE = ReadClients(), Deposit(10_001, 5)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([], Reason.INTERNAL),
        ([READ], Reason.INTERNAL),
        ([WRITE], Reason.OUTCOME_UNKNOWN),
        ([WRITE, READ], Reason.OUTCOME_UNKNOWN),
    ],
)
def test_a_defect_after_something_was_decided_is_no_word_that_nothing_was(steps, told):
    def taken():
        yield from steps
        raise ValueError("a defect")

    ledger = SimpleNamespace(
        reads_are_instant=True, submit=lambda operations, done: done([0] * len(operations))
    )
    answers = []
    walk = Walk(taken(), ledger, SimpleNamespace(), lambda _: {}, answers.append)
    walk.start(lambda _, heard: heard(0))
    assert [answer.reason for answer in answers] == [told]
