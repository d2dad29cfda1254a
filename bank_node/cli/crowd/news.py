"""Machines of a crowd's merchants, which listen: how long after its answer a payment is told."""

import asyncio
import json
import time
from contextlib import suppress

from bank_node.cli.crowd.lines import percentiles
from bank_node.cli.crowd.people import Crowd, Member

_LISTENERS = 16
_LAST_WORDS_S = 30.0
_TRIES = 100
_PAUSE_S = 0.2


class Listeners:
    """The machines of some merchants."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._tasks: list[asyncio.Task[None]] = []
        self.told_at: dict[str, float] = {}
        """When a payment was told, by its id."""

    def start(self) -> None:
        for merchant in self._crowd.merchants[:_LISTENERS]:
            self._tasks.append(asyncio.create_task(self._listen(merchant)))

    async def _listen(self, merchant: Member) -> None:
        line = self._crowd.line_to(merchant)
        heard: set[str] = set()
        try:
            cursor = ""
            while True:
                told = await line.insist(f"PE {merchant.vmid} {cursor}".strip(), _TRIES)
                if not told.startswith("PE "):
                    # A bank that was frozen has let it wait too long; nothing is lost by that.
                    await asyncio.sleep(_PAUSE_S)
                    continue
                now = time.perf_counter()
                page = json.loads(told.removeprefix("PE "))
                cursor = page["cursor"]
                for event in page["news"]:
                    # A payment is told again when a part of it was given back.
                    if event["state"] != "success" or event["payment"] in heard:
                        continue
                    heard.add(event["payment"])
                    self.told_at[event["payment"]] = now
                    sign = -1 if event["payer"] == merchant.vpa else 1
                    merchant.told += sign * event["amount"]
        finally:
            line.close()

    async def stop(self) -> None:
        """Waits for the last news and checks that every payment was told; then none listens."""
        listened = self._crowd.merchants[:_LISTENERS]
        until = time.perf_counter() + _LAST_WORDS_S
        while any(each.told != each.expected for each in listened):
            if time.perf_counter() > until:
                for each in listened:
                    if each.told != each.expected:
                        told = f"{each.told}, expected {each.expected}"
                        self._crowd.tally.contradict(f"news of {each.vpa}", told)
                break
            await asyncio.sleep(0.05)
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await task

    def figures(self) -> dict[str, float]:
        """How many payments were told, and how long after their answers, in milliseconds."""
        answered = self._crowd.answered_at
        late = [max(0.0, at - answered[id_]) for id_, at in self.told_at.items() if id_ in answered]
        p50, p99 = percentiles(late)
        return {"told": len(late), "p50_ms": round(p50, 2), "p99_ms": round(p99, 2)}
