"""Robbery: which banks to rob for an amount, whom that harms, and what greed would waste."""

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on, work
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Label

from bank_node.errors import BankError
from tui import actions, safe
from tui.model import formats
from tui.model.world import FrontierPoint, Greedy, RobberyPlan
from tui.model.world import Robbery as Plan
from tui.screens.base import HouseScreen
from tui.widgets import chart
from tui.widgets.chart import Chart
from tui.widgets.columns import Column, Row
from tui.widgets.grid import Grid
from tui.widgets.inputs import Typed, amount_of, amount_problem
from tui.widgets.panel import Panel
from tui.widgets.words import Words

_OBJECTIVES = {
    "fewest": "fewest clients",
    "closest": "closest amount",
}
_POINTS = 60
_TYPE_AN_AMOUNT = "Type an amount above and press enter: the banks to rob appear here."
_NOTHING_TO_ROB = "No banks to rob; the verdict below says why."


class Robbery(HouseScreen):
    """The amount above, the plan on the left, the frontier on the right."""

    NAME = "robbery"
    AUTO_FOCUS = "#amount"
    BINDINGS: ClassVar[Any] = actions.bindings("robbery")

    def __init__(self) -> None:
        super().__init__()
        self._plan: Plan | None = None

    def body(self) -> Iterable[Widget]:
        with Container(id="columns"):
            with Vertical(id="left"):
                yield Panel(
                    "Target",
                    Label(safe.content("Amount", "$bank-dim"), classes="label"),
                    Typed(id="amount", placeholder="1000000, and enter", restrict=r"[0-9 ,_]*"),
                    Words(id="target-note"),
                    id="target",
                    help="Type an amount and press enter. o changes between the fewest clients "
                    "and the closest amount.",
                )
                yield Panel("Plan", _plan_grid(), id="plan", help="The banks to rob. A bank is "
                            "robbed whole: all of its clients lose all they have.")  # fmt: skip
                yield Panel("Verdict", Words(id="verdict"), id="verdict-panel",
                            help="What the plan comes to, whether it is proven to be the best, "
                            "and what the greedy plan would have wasted.")  # fmt: skip
            with Vertical(id="right"):
                yield Panel("Frontier", Chart(id="frontier", empty="The fewest clients for every "
                            "amount are drawn here, with your target on the curve."),
                            id="frontier-panel", help="For every amount, the fewest clients that "
                            "it can be had for. No plan is better in both.")  # fmt: skip
                yield Panel("Left out", _left_out_grid(), id="left-out",
                            help="Banks that no plan may use, and why.")  # fmt: skip

    def on_mount(self) -> None:
        self._note()

    @property
    def _objective(self) -> str:
        told = self.console_app.memory.now.objective
        return told if told in _OBJECTIVES else "fewest"

    def show(self, topic: str) -> None:
        if topic == "all":
            keys = self.keys("robbery.objective", "robbery.plan")
            self.query_one("#target", Panel).say(keys=keys)

    @on(Input.Changed, "#amount")
    def _changed(self) -> None:
        self._note()

    def _note(self) -> None:
        text = self.query_one("#amount", Typed).value
        problem = amount_problem(text) if text else ""
        told = safe.assemble(("objective  ", "$bank-dim"), _OBJECTIVES[self._objective])
        if problem:
            told = safe.content(problem, "$error")
        self.query_one("#target-note", Words).say(told)

    @on(Input.Submitted, "#amount")
    def _submitted(self) -> None:
        self.action_do("robbery.plan")

    async def do_target(self) -> None:
        self.query_one("#amount", Typed).focus()

    async def do_objective(self) -> None:
        names = list(_OBJECTIVES)
        self.console_app.memory.now.objective = names[1 - names.index(self._objective)]
        self._note()
        if self._plan is not None:
            self._ask()

    async def do_plan(self) -> None:
        text = self.query_one("#amount", Typed).value
        if amount_problem(text):
            self.query_one("#amount", Typed).focus()
            return
        self._ask()

    @work(exclusive=True, group="plan", exit_on_error=False)
    async def _ask(self) -> None:
        number = amount_of(self.query_one("#amount", Typed).value)
        self.query_one("#plan", Panel).say("planning …")
        line = f"OB number={number} objective={self._objective} frontier=1 points={_POINTS}"
        try:
            plan = await self.hub.link.main.ask(line, Plan)
        except BankError as error:
            self.query_one("#plan", Panel).say("")
            self.tell_error(error)
            return
        self._plan = plan
        await self._show_plan(plan)

    async def _show_plan(self, plan: Plan) -> None:
        grid, panel = self.query_one("#plan-grid", Grid), self.query_one("#plan", Panel)
        banks = plan.plan.banks if plan.plan else ()
        whole = sum(bank.amount for bank in banks)
        grid.empty = _TYPE_AN_AMOUNT if banks else _NOTHING_TO_ROB
        grid.show([
            Row(bank.address, ((bank.address, "accent"), formats.amount(bank.amount),
                               formats.amount(bank.clients),
                               (formats.share(bank.amount, whole), "dim")))
            for bank in banks
        ], keep=False)  # fmt: skip
        panel.say(f"{formats.plural(len(banks), 'bank')}, {formats.duration(plan.us)}")
        self.query_one("#verdict", Words).say(_verdict(plan))
        left = self.query_one("#left-grid", Grid)
        left.show([Row(b.address, ((b.address, "accent"), b.why)) for b in plan.left_out])
        asked = f"{len(plan.left_out)} of {plan.asked} asked" if plan.asked else ""
        self.query_one("#left-out", Panel).say(asked)
        await self._draw(plan)

    async def _draw(self, plan: Plan) -> None:
        points = plan.frontier or ()
        note = "" if plan.frontier_complete else "not complete"
        self.query_one("#frontier-panel", Panel).say(note)
        paint = None
        if len(points) > 1:
            paint = chart.line(
                [float(p.amount) for p in points],
                [float(p.clients) for p in points],
                x_ticks=formats.short,
                y_ticks=formats.short,
                points=_marks(plan, points),
            )
        await self.query_one("#frontier", Chart).draw(plan, paint)


def _marks(plan: Plan, points: Iterable[FrontierPoint]) -> list[tuple[float, float]]:
    """The plan itself, as a point on the chart."""
    if plan.plan is None:
        return []
    highest = max(point.amount for point in points)
    amount = float(min(plan.plan.amount, highest))
    return [(amount, float(plan.plan.clients))]


def _verdict(plan: Plan) -> Content:
    if plan.plan is None:
        holds = plan.unreachable.holds if plan.unreachable else 0
        return safe.lines(
            safe.content("✗ no plan", "$error bold"),
            safe.content(f"All banks together hold {formats.amount(holds)}."),
        )
    told = plan.plan
    rows = [
        safe.assemble(("takes     ", "$bank-dim"), (formats.amount(told.amount), "bold"),
                      (f"  {_distance(told, plan.target)}", "$bank-dim")),
        safe.assemble(("harms     ", "$bank-dim"), (formats.plural(told.clients, "client"), "bold"),
                      ("  in ", "$bank-dim"), formats.plural(len(told.banks), "bank")),
        _proof(told, plan.objective),
    ]  # fmt: skip
    if plan.greedy is not None:
        rows.append(_greedy(plan.greedy, told))
    return safe.lines(*rows)


def _distance(plan: RobberyPlan, target: int) -> str:
    over = plan.amount - target
    return (
        "exactly" if not over else f"{formats.amount(abs(over))} {'over' if over > 0 else 'short'}"
    )


def _proof(plan: RobberyPlan, objective: str) -> Content:
    if plan.proven:
        return safe.assemble(("● proven  ", "$success"), "no plan is better")
    off = plan.clients_off_at_most if objective == "fewest" else plan.distance_off_at_most
    what = "clients" if objective == "fewest" else "of the amount"
    return safe.assemble(("▲ bound   ", "$warning"), f"at most {formats.amount(off)} {what} off")


def _greedy(greedy: Greedy, plan: RobberyPlan) -> Content:
    banks = greedy.banks if isinstance(greedy.banks, int) else len(greedy.banks)
    wasted = greedy.clients - plan.clients
    told = f"{greedy.clients:,} in {formats.plural(banks, 'bank')}"
    if wasted > 0:
        return safe.assemble(("greedy    ", "$bank-dim"), told,
                             (f"  {wasted:,} for nothing", "$warning"))  # fmt: skip
    return safe.assemble(("greedy    ", "$bank-dim"), told, ("  as good", "$bank-dim"))


def _plan_grid() -> Grid:
    return Grid(
        Column("address", "Bank", 13, flex=1),
        Column("amount", "Takes", 10, right=True, flex=1),
        Column("clients", "Clients", 7, right=True),
        Column("share", "Share", 5, right=True, from_width=46),
        id="plan-grid",
        name="plan",
        empty=_TYPE_AN_AMOUNT,
    )


def _left_out_grid() -> Grid:
    return Grid(
        Column("address", "Bank", 13),
        Column("why", "Why it is left out", 16, flex=1),
        id="left-grid",
        name="left-out",
        empty="Banks whose figures are missing, old or absurd are named here.",
    )
