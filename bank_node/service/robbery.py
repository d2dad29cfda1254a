"""RP: asks the network what it holds, plans, and tells the plan in a sentence."""

import logging
from typing import TYPE_CHECKING

from bank_node.banking import robbery
from bank_node.errors import Reason, Refused
from bank_node.service.calls import Call, Survey
from bank_node.values import one_line

if TYPE_CHECKING:
    from bank_node.banking.robbery import Plan, Unreachable

_log = logging.getLogger(__name__)

# Asking the banks may take this share of the reply time; planning gets the rest.
_SHARE_FOR_ASKING = 0.6
# A plan over a whole big network would make a line of a megabyte that no terminal can show.
_BANKS_TOLD_MAX = 1000


def rob(call: Call) -> str:
    """The reply to `RP <number>`. Raises Refused(TARGET_TOO_HIGH)."""
    (target,) = call.arguments
    survey = call.bank.network.survey(call.seconds_left() * _SHARE_FOR_ASKING, call.trace)
    for address, why in survey.left_out:
        _log.info("the bank %s is left out of robbery %d: %s", address, call.trace, one_line(why))
    found = planned(call, target, survey)
    if isinstance(found, robbery.Unreachable):
        raise Refused(Reason.TARGET_TOO_HIGH, holds=found.total_amount, banks=len(survey.banks))
    return f"RP {_sentence(call, found)}"


def planned(call: Call, target: int, survey: Survey) -> "Plan | Unreachable":
    """The best plan that can be found in the time that is left."""
    seconds = call.bank.clock.monotonic_ns
    return robbery.plan(
        [robbery.Bank(*figures) for figures in survey.banks],
        target,
        "closest" if call.bank.objective == "closest" else "fewest",
        now=lambda: seconds() / 1e9,
        deadline_s=seconds() / 1e9 + call.seconds_left(),
    )


def _sentence(call: Call, found: "Plan") -> str:
    told = [str(bank.address) for bank in found.banks[:_BANKS_TOLD_MAX]]
    return call.bank.catalogue.robbery(
        target=found.target,
        addresses=told,
        more=len(found.banks) - len(told),
        clients=found.clients,
        amount=found.amount,
        slack=None if found.proven else (found.clients_off_at_most, found.distance_off_at_most),
    )
