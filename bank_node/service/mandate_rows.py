"""How a mandate, a dispute, and a moment are told."""

from datetime import UTC, date, datetime
from typing import Any

from bank_node.banking.payments.dues import PAYMENT, asked_of_payer
from bank_node.banking.payments.limits import Rules
from bank_node.banking.payments.papers import PAYEE, Dispute, Mandate, Plan

_US = 1_000_000


def moment(us: int) -> str:
    """A moment as it is told."""
    return datetime.fromtimestamp(us / _US, UTC).isoformat()


def day(ordinal: int) -> str:
    """A day as it is told; nothing for none."""
    return date.fromordinal(ordinal).isoformat() if ordinal else ""


def told_plan(plan: Plan) -> dict[str, Any]:
    rule = f":{plan.day_rule}:{plan.day}" if plan.day_rule else ""
    return {
        "amount_rule": "exact" if plan.is_exact else "max",
        "amount": plan.amount,
        "recurrence": plan.recurrence + rule,
        "start": day(plan.start),
        "end": day(plan.end),
    }


def told_mandate(paper: Mandate, rules: Rules) -> dict[str, Any]:
    """A mandate as it is told; the next payment only while there is one to come."""
    is_live, there = paper.is_open and bool(paper.last), paper.there
    return {
        "kind": "mandate",
        "id": paper.id,
        "state": paper.state.value,
        "payee": paper.payee,
        "payee_name": paper.payee_name,
        "payer": paper.payer,
        **told_plan(paper.plan),
        "proposed": told_plan(paper.proposed) if paper.proposed else "",
        "reference": paper.reference,
        "note": paper.note,
        "time": moment(paper.time_us),
        "paid": paper.paid,
        "last_payment": paper.last_payment,
        "next_from": day(paper.first) if is_live else "",
        "next_until": day(paper.last) if is_live else "",
        "next_amount": (paper.amount_due or "") if is_live else "",
        "noticed": moment(paper.noticed_us) if is_live and paper.noticed_us else "",
        "confirmed": paper.confirmed or "",
        "tries": paper.tries or "",
        "why": paper.why or (there.why if there else ""),
        "telling": there.wish if there and paper.is_owed else "",
        "waits": _told_question(paper, rules),
    }


def _told_question(paper: Mandate, rules: Rules) -> dict[str, Any] | str:
    """What waits for the answer of a payer who is a client of this bank."""
    is_here = paper.there is None or paper.there.side == PAYEE
    asked = asked_of_payer(paper, rules) if is_here else None
    if asked is None or (asked.about == PAYMENT and paper.confirmed):
        return ""
    return {"about": asked.about, "amount": asked.amount, "end": day(asked.end)}


def told_dispute(paper: Dispute) -> dict[str, Any]:
    """A dispute as it is told; its deadline only while it is not over."""
    return {
        "kind": "dispute",
        "id": paper.id,
        "state": paper.state.value,
        "payment": paper.payment,
        "payee": paper.payee,
        "payee_bank": paper.payee_bank,
        "payer": paper.payer,
        "amount": paper.amount,
        "said": [{"by": s.by, "text": s.text, "time": moment(s.time_us)} for s in paper.said],
        "time": moment(paper.time_us),
        "deadline": moment(paper.deadline_us) if paper.is_open else "",
        "decided": paper.decided,
        "refund": paper.refund,
        "why": paper.why,
        "withdrawing": paper.withdrawing or "",
    }
