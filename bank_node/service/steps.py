"""Requests that take several steps: reading, checking a PIN, deciding, one after the other.

Such a request is a generator: it yields what it needs next, gets it back, and returns its reply.
No thread waits in between, so ten thousand of them cost ten thousand generators.
"""

import logging
from collections.abc import Callable, Generator, Sequence
from functools import partial
from threading import Lock
from typing import Any

from msgspec import Struct

from bank_node.errors import Reason, Refused
from bank_node.ledger.notes import Note, ReadNote, ReadNotes
from bank_node.ledger.operations import Operation, Procedure, Result, is_read
from bank_node.protocol.payment_values import Vpa
from bank_node.security.pins import Profile, is_cheap, is_pin, make_verifier, profile_of, refuse
from bank_node.service.calls import Answer, Ledger
from bank_node.service.together import Decide
from bank_node.service.workers import Workers

_log = logging.getLogger(__name__)

# Checks of the PIN for one address at once, whether anybody has it or not; whoever guesses in
# parallel waits for the ledger like all.
_CHECKS_AT_ONCE = 4


class CheckPin(Struct, frozen=True):
    """Whether a PIN is that of a verifier; without one it takes as long and is wrong."""

    pin: str
    verifier: str
    whose: Vpa


class MakeVerifier(Struct, frozen=True):
    """What is to be kept of a PIN."""

    pin: str
    salt: bytes


class Wait(Struct, frozen=True):
    """Something that happens away from the ledger; its result may be a Refused, which is raised."""

    begin: Callable[[Callable[[Any], object]], object]
    """Starts it; its argument hears the result once, on any thread. Raises Refused."""


Step = Operation | CheckPin | MakeVerifier | Wait
Steps = Generator[Step, Any, str]


def find_note(key: str) -> Generator[Step, Any, Note | None]:
    """The latest note with a key, however long ago it was over; None if there never was one."""
    try:
        note: Note = yield ReadNote(key)
    except Refused as refused:
        if refused.reason is not Reason.NO_SUCH_PAYMENT:
            raise
        return None
    return note


class Pins:
    """Checks PINs on threads of their own."""

    def __init__(self, workers: Workers, pepper: bytes, profile: Profile) -> None:
        self._workers = workers
        self._pepper = pepper
        self._profile = profile
        self._lock = Lock()
        self._checked: dict[Vpa, int] = {}

    def start(self, step: CheckPin | MakeVerifier, done: Callable[[Any], object]) -> None:
        """Begins a step that takes its time.

        `done` hears its result, or why there is none, on another thread. Raises Refused(TOO_BUSY).
        """
        if isinstance(step, MakeVerifier):
            make = partial(make_verifier, step.pin, step.salt, self._pepper, self._profile)
            self._workers.run(make, done)
            return
        whose = step.whose
        with self._lock:
            if self._checked.get(whose, 0) >= _CHECKS_AT_ONCE:
                raise Refused(Reason.TOO_BUSY)
            self._checked[whose] = self._checked.get(whose, 0) + 1

        def checked(answer: Answer) -> None:
            self._let_go(whose)
            done(answer if isinstance(answer, Refused) else answer == _RIGHT)

        try:
            self._workers.run(partial(self._check, step), checked)
        except BaseException:
            self._let_go(whose)
            raise

    def is_cheap(self, step: CheckPin | MakeVerifier) -> bool:
        """Whether a step is to be done at once, on the thread that asks."""
        verifier = step.verifier if isinstance(step, CheckPin) else ""
        profile = profile_of(verifier) if verifier else self._profile
        return profile is not None and is_cheap(profile)

    def do(self, step: CheckPin | MakeVerifier) -> bool | str:
        """The result of a step."""
        if isinstance(step, CheckPin):
            return self._check(step) == _RIGHT
        return make_verifier(step.pin, step.salt, self._pepper, self._profile)

    def _check(self, step: CheckPin) -> str:
        if not step.verifier:
            refuse(step.pin, self._pepper, self._profile)
            return ""
        return _RIGHT if is_pin(step.pin, step.verifier, self._pepper) else ""

    def _let_go(self, whose: Vpa) -> None:
        with self._lock:
            left = self._checked.pop(whose) - 1
            if left:
                self._checked[whose] = left


_RIGHT = "right"
# A tuple: a union would be made anew each time it is asked about.
_PIN_STEPS = (CheckPin, MakeVerifier)


class Walk:
    """One request on its way through its steps."""

    def __init__(
        self,
        steps: Steps,
        ledger: Ledger,
        pins: Pins,
        details: Callable[[Reason], dict[str, str]],
        done: Callable[[Answer], object],
    ) -> None:
        """`details` is what the sentence of a refusal by the ledger needs."""
        self._details = details
        self._steps = steps
        self._ledger = ledger
        self._pins = pins
        self._done = done
        self._may_have_written = False

    def start(self, decide: Decide) -> None:
        """Takes the first steps, on the thread of a desk.

        `decide` is the desk's, which hands over together what its clients want of the ledger at
        once: alone each of them would wake the ledger, and make a block of its own.
        """
        self._take_steps(None, decide)

    def go_on(self, result: Any = None) -> None:
        """Takes the next steps, as far as they need not be waited for. From any thread."""
        self._take_steps(result, self._decide_alone)

    def _take_steps(self, result: Any, decide: Decide) -> None:
        try:
            while True:
                step = self._send(result)
                # By far the most frequent steps are reads.
                if isinstance(step, ReadNotes) and self._ledger.reads_are_instant:
                    result = self._ledger.read(step)
                    continue
                if isinstance(step, _PIN_STEPS):
                    if self._pins.is_cheap(step):
                        result = self._pins.do(step)
                        continue
                    self._pins.start(step, self.go_on)
                elif isinstance(step, Wait):
                    step.begin(self.go_on)
                else:
                    self._decide(step, decide)
                return
        except StopIteration as end:
            self._done(end.value)
        except Refused as refused:
            self._done(refused)
        except Exception:
            _log.exception("a request failed")
            # What was decided before the defect stands.
            is_unknown = self._may_have_written
            self._done(Refused(Reason.OUTCOME_UNKNOWN if is_unknown else Reason.INTERNAL))

    def _send(self, result: Any) -> Step:
        if isinstance(result, Reason):
            return self._steps.throw(Refused(result, **self._details(result)))
        if isinstance(result, Refused):
            return self._steps.throw(result)
        return self._steps.send(result)

    def _decide(self, step: Operation, decide: Decide) -> None:
        if is_read(step) and not self._ledger.reads_are_instant:
            self._ledger.look_up((step,), self._decided)
        else:
            only_looks = is_read(step) or (isinstance(step, Procedure) and step.only_looks)
            self._may_have_written = self._may_have_written or not only_looks
            decide(step, self.go_on)

    def _decide_alone(self, step: Operation, _told: object) -> None:
        self._ledger.submit((step,), self._decided)

    def _decided(self, results: Sequence[Result]) -> None:
        self.go_on(results[0])
