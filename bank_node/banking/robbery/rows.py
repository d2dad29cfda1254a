"""Plans as plain data, for JSON."""

from typing import Any

from .model import FrontierPoint, Plan


def plan_row(plan: Plan) -> dict[str, Any]:
    """A plan with the banks that it robs and how far it may be from the best one."""
    return {
        "banks": [
            {"address": bank.address, "amount": bank.amount, "clients": bank.clients}
            for bank in plan.banks
        ],
        "amount": plan.amount,
        "clients": plan.clients,
        "distance": plan.distance,
        "proven": plan.proven,
        "clients_off_at_most": plan.clients_off_at_most,
        "distance_off_at_most": plan.distance_off_at_most,
    }


def point_row(point: FrontierPoint) -> dict[str, Any]:
    """A point of the frontier."""
    return {"amount": point.amount, "clients": point.clients, "proven": point.proven}
