"""Workers: bounded, and a defect or a refusal of work is an answer like any other."""

from threading import Event

import pytest

from bank_node.errors import Reason, Refused
from bank_node.service.workers import Workers


class Inbox:
    """Waits for answers."""

    def __init__(self) -> None:
        self.answers: list[object] = []
        self._came = Event()

    def put(self, answer: object) -> None:
        self.answers.append(answer)
        self._came.set()

    def wait(self) -> object:
        assert self._came.wait(60)
        self._came.clear()
        return self.answers[-1]


def test_the_result_of_work_is_the_answer():
    workers, inbox = Workers(1, 1), Inbox()
    workers.run(lambda: "RP done", inbox.put)
    assert inbox.wait() == "RP done"
    workers.close()


def test_work_over_the_limit_is_refused_at_once_and_the_place_comes_back():
    workers, inbox, go = Workers(1, 1), Inbox(), Event()
    ended = Event()

    def slow() -> str:
        go.wait(60)
        return "slow"

    workers.run(slow, inbox.put)
    workers.run(slow, lambda answer: ended.set())
    with pytest.raises(Refused) as refused:
        workers.run(slow, inbox.put)
    assert refused.value.reason is Reason.TOO_BUSY
    go.set()
    assert ended.wait(60)
    workers.run(lambda: "after", inbox.put)
    workers.close()


@pytest.mark.parametrize(
    ("error", "reason"),
    [(Refused(Reason.TARGET_TOO_HIGH), Reason.TARGET_TOO_HIGH), (KeyError(), Reason.INTERNAL)],
)
def test_work_that_fails_is_answered_with_a_refusal(error, reason):
    def fails() -> str:
        raise error

    workers, inbox = Workers(1, 1), Inbox()
    workers.run(fails, inbox.put)
    answer = inbox.wait()
    assert isinstance(answer, Refused)
    assert answer.reason is reason
    workers.close()


def test_after_the_end_no_work_is_taken():
    workers = Workers(1, 1)
    workers.close()
    with pytest.raises(Refused) as refused:
        workers.run(lambda: "", lambda answer: None)
    assert refused.value.reason is Reason.STOPPING
