"""The tables of what people ask of each other: whole, and closed where they end."""

import pytest

from bank_node.banking.payments import machines
from bank_node.banking.payments.machines import (
    COLLECT_OPEN,
    COLLECT_STEPS,
    DISPUTE_OPEN,
    DISPUTE_STEPS,
    MANDATE_OPEN,
    MANDATE_STEPS,
    CollectMessage,
    CollectState,
    DisputeMessage,
    DisputeState,
    MandateMessage,
    MandateState,
)
from bank_node.errors import Reason

ALL = {
    "collects": (CollectState, CollectMessage, COLLECT_STEPS, COLLECT_OPEN),
    "mandates": (MandateState, MandateMessage, MANDATE_STEPS, MANDATE_OPEN),
    "disputes": (DisputeState, DisputeMessage, DISPUTE_STEPS, DISPUTE_OPEN),
}
each = pytest.mark.parametrize(
    ("states", "messages", "steps", "open_states"), ALL.values(), ids=ALL
)


@each
def test_there_is_a_line_for_every_state_and_message(states, messages, steps, open_states):
    assert set(steps) == {(state, message) for state in states for message in messages}
    assert all(isinstance(cell, (states, Reason)) for cell in steps.values())


@each
def test_what_is_over_stays_what_it_is(states, messages, steps, open_states):
    for (state, message), cell in steps.items():
        if state not in open_states:
            assert cell is state or isinstance(cell, Reason), (state, message)


@each
def test_the_same_message_again_changes_nothing(states, messages, steps, open_states):
    for (state, message), cell in steps.items():
        if not isinstance(cell, Reason):
            assert steps[cell, message] is cell, (state, message)


@each
def test_every_state_can_be_come_to(states, messages, steps, open_states):
    reached, front = set(), [next(iter(states))]
    while front:
        state = front.pop()
        reached.add(state)
        cells = [steps[state, message] for message in messages]
        front += [c for c in cells if not isinstance(c, Reason) and c not in reached]
    assert reached == set(states)


def test_no_request_that_is_over_is_ever_paid():
    approved = {s: COLLECT_STEPS[s, CollectMessage.APPROVE] for s in CollectState}
    assert [s for s, cell in approved.items() if cell is CollectState.PAID] == ["pending", "paid"]


def test_only_an_active_mandate_can_be_paused():
    paused = {s: MANDATE_STEPS[s, MandateMessage.PAUSE] for s in MandateState}
    assert {s for s, cell in paused.items() if cell is machines.MandateState.PAUSED} == {
        "active", "paused"
    }  # fmt: skip


def test_a_dispute_that_was_decided_for_the_payer_is_never_rejected():
    assert DISPUTE_STEPS[DisputeState.OWED, DisputeMessage.REJECT] is Reason.REQUEST_OVER
