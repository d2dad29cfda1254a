"""What can go wrong in a measurement, told in a sentence to the person who runs it."""


class BenchError(Exception):
    """A measurement that cannot be trusted or cannot be made; it yields no figure."""


class NotInstalledError(BenchError):
    """A peer is missing on this machine; its rows are left out and never estimated."""

    def __init__(self, what: str, install: str) -> None:
        super().__init__(f"{what} is not installed; on Debian: {install}")
