"""What a writer of the ledger tells whoever submits something to it."""

from threading import Event, current_thread

WAIT_S = 10
PATIENCE = "nothing came within a time that is far more than enough"


class Heard:
    """A callback that remembers; `results` waits for them."""

    def __init__(self):
        self.times, self._came = 0, Event()

    def __call__(self, results):
        self.times += 1
        self._results, self.thread = list(results), current_thread().name
        self._came.set()

    @property
    def came(self):
        return self._came.is_set()

    @property
    def results(self):
        assert self._came.wait(WAIT_S), PATIENCE
        return self._results


def submit(writer, *operations):
    """Submits operations together; what is heard of them."""
    heard = Heard()
    writer.submit(operations, heard)
    return heard
