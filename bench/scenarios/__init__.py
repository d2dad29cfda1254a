"""The scenarios by name, in the order of the table.

Each is a function from a workbench to rows; it starts and stops what it needs.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from bench.report import Row
from bench.scenarios.backup import backup
from bench.scenarios.connections import connections
from bench.scenarios.duels import DUELS, duel
from bench.scenarios.following import following
from bench.scenarios.payments import payments
from bench.scenarios.proofs import proofs
from bench.scenarios.proxied import proxied
from bench.scenarios.recovery import recovery
from bench.scenarios.start import start
from bench.scenarios.traffic import traffic
from bench.scenarios.transfers import transfers
from bench.scenarios.watched import watched
from bench.workbench import Workbench

Scenario = Callable[[Workbench], Sequence[Row]]

SCENARIOS: Mapping[str, Scenario] = {
    **{each.name: partial(duel, each) for each in DUELS},
    "proxied": proxied,
    "connections": connections,
    "start": start,
    "backup": backup,
    "traffic": traffic,
    "watched": watched,
    "transfers": transfers,
    "payments": payments,
    "recovery": recovery,
    "following": following,
    "proofs": proofs,
}
