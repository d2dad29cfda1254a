"""The flow of payments: each state passes, and each payment counts once."""

from itertools import count

from bank_node.banking.payments.records import FAILED, PENDING, Payment, body_of, payment_key
from bank_node.errors import Reason, Refused
from bank_node.ledger.notes import Note
from bank_node.service.flow import Attempt, Flow, Noted
from bank_node.telemetry.clock import Clock


def flow():
    ticks = count(1_000)
    return Flow(Clock(lambda: next(ticks), lambda: 0))


def payment(state="success", **more):
    return Payment(
        "id-1", "pay", "alice@brno", 10_001, "shop@praha", 20_001, "10.1.2.7", "Shop", 120,
        "lunch", "", 900, state=state, day=739_000, **more,
    )  # fmt: skip


def noted(state="success", **more):
    return Note(payment_key("id-1"), body_of(payment(state, **more)), is_open=False)


def states(shown):
    return [item.payment.state for _, item in shown.ring.read(0, 99).items]


def test_a_payment_to_another_bank_passes_twice_and_counts_once():
    shown = flow()
    shown.set_out(payment(PENDING))
    assert shown.sums() == (0, {})
    shown.heard([noted()])
    assert shown.sums() == (1, {})
    assert states(shown) == [PENDING, "success"]


def test_a_payment_that_failed_on_its_way_is_told_by_its_record_alone():
    shown = flow()
    shown.set_out(payment(PENDING))
    shown.heard([noted(FAILED, why="payment_reverted")])
    shown.refused(Attempt("alice@brno"), Noted(Reason.PAYMENT_REVERTED), 50)
    assert shown.sums() == (0, {"payment_reverted": 1})
    assert states(shown) == [PENDING, FAILED]


def test_a_refusal_tells_who_asked_and_how_long_it_took():
    shown = flow()
    shown.refused(Attempt("alice@brno", "shop@brno", 5), Refused(Reason.WRONG_PIN), 700)
    ((_, item),) = shown.ring.read(0, 9).items
    assert (item.reason, item.attempt.payee) == (Reason.WRONG_PIN, "shop@brno")
    assert (item.asked_us, item.time_us) == (700, 1_000)


def test_the_check_of_the_pin_is_a_part_of_how_long_a_payment_took():
    shown = flow()
    shown.asked("id-1", 300)
    shown.set_out(payment(PENDING))
    shown.heard([noted()])
    shown.heard([noted()])
    asked = [item.asked_us for _, item in shown.ring.read(0, 9).items]
    assert asked == [300, 300, 900], "what nobody asked for here has the time of its record"
