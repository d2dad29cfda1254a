"""The operator's commands about other banks: peers, scans, questions, robbery plans.

Whatever asks somebody waits on a worker of the operator's port.
"""

from typing import TYPE_CHECKING

from bank_node.banking import robbery
from bank_node.errors import Reason, Refused
from bank_node.service.calls import Call, Handler, Survey
from bank_node.service.documents import Row, told
from bank_node.service.office import PeerRow
from bank_node.service.operator import fields_of, office_of

if TYPE_CHECKING:
    from bank_node.banking.robbery import Bank as Holding
    from bank_node.banking.robbery import Plan, Unreachable

# How long an operator may be kept waiting, in seconds: by another bank, by all of them, by a plan
# and by a frontier. Together less than the operator's port waits for a reply.
_ASK_S = 5.0
_SURVEY_S = 5.0
_PLAN_S = 5.0
_FRONTIER_S = 5.0


def _peers(call: Call) -> str:
    around = office_of(call).around
    return told("OP", {
        "peers": [peer._asdict() for peer in around.peers()],
        "reach": around.reach(),
    })  # fmt: skip


def _introduce(call: Call) -> str:
    office, fields = office_of(call), fields_of(call)
    named = [name for name in ("add", "remove", "ask") if fields[name]]
    if len(named) != 1:
        raise Refused(Reason.FIELD_MISSING, field="add=|remove=|ask", usage="OI add=<ip>")
    bank, port = fields[named[0]]
    text = bank if port is None else f"{bank}:{port}"
    if named == ["remove"]:
        office.settings.change_peers(lambda peers: _without(peers, bank), and_save=fields["save"])
        office.around.forget(bank)
        return told("OI", {"peer": None})
    if named == ["add"]:
        office.settings.change_peers(
            lambda peers: [*_without(peers, bank), text], and_save=fields["save"]
        )
    peer = office.around.look_again(bank, _ASK_S, call.trace) or office.around.row(bank)
    return told("OI", {"peer": (peer or PeerRow(bank, port, "unknown"))._asdict()})


def _without(peers: list[str], bank: str) -> list[str]:
    return [peer for peer in peers if peer.partition(":")[0] != bank]


def _scan(call: Call) -> str:
    around, fields = office_of(call).around, fields_of(call)
    if fields["start"]:
        around.begin_scan()
    elif fields["stop"]:
        around.cancel_scan()
    return told("ON", around.scan()._asdict())


def _knock(call: Call) -> str:
    (bank, port), line = fields_of(call)["to"], fields_of(call)["line"]
    clock = call.bank.clock
    started_ns = clock.monotonic_ns()
    answer = office_of(call).around.call(bank, port, line, _ASK_S, call.trace)
    us = (clock.monotonic_ns() - started_ns) // 1000
    return told("OK", {**answer._asdict(), "us": us})


def _rob(call: Call) -> str:
    fields, clock = fields_of(call), call.bank.clock
    started_ns = clock.monotonic_ns()
    survey = call.bank.network.survey(_SURVEY_S, call.trace)
    objective = fields["objective"] or call.bank.objective
    banks = [robbery.Bank(*figures) for figures in survey.banks]

    def now() -> float:
        return clock.monotonic_ns() / 1e9

    found = robbery.plan(
        banks,
        fields["number"],
        "closest" if objective == "closest" else "fewest",
        now=now,
        deadline_s=now() + _PLAN_S,
    )
    document = {
        "target": fields["number"],
        "objective": objective,
        **_outcome(found, banks, fields["number"]),
        "frontier": None,
        "frontier_complete": False,
        "left_out": [{"address": address, "why": why} for address, why in survey.left_out],
        "asked": _asked(survey),
    }
    if fields["frontier"]:
        points = robbery.frontier(banks, fields["points"], now=now, deadline_s=now() + _FRONTIER_S)
        document["frontier"] = [robbery.point_row(point) for point in points.points]
        document["frontier_complete"] = points.complete
    document["us"] = (clock.monotonic_ns() - started_ns) // 1000
    return told("OB", document)


def _asked(survey: Survey) -> int:
    """How many other banks have been asked."""
    return len(survey.banks) + len(survey.left_out) - 1


def _outcome(found: "Plan | Unreachable", banks: "list[Holding]", target: int) -> Row:
    if isinstance(found, robbery.Unreachable):
        return {"plan": None, "unreachable": {"holds": found.total_amount}, "greedy": None}
    greedy = robbery.greedy_plan(banks, target)
    return {
        "plan": robbery.plan_row(found),
        "unreachable": None,
        "greedy": None if isinstance(greedy, robbery.Unreachable) else {
            "banks": len(greedy.banks), "amount": greedy.amount, "clients": greedy.clients,
        },
    }  # fmt: skip


NETWORK_HANDLERS: dict[str, Handler] = {
    "OP": Handler(work=_peers),
    "OI": Handler(work=_introduce),
    "ON": Handler(now=_scan),
    "OK": Handler(work=_knock),
    "OB": Handler(work=_rob),
}
