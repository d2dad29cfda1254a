"""How much banks may owe each other: one cap for all, and a table of those that have their own.

Pure. Replaced as a whole when the settings change; transfers read it on their own thread.
"""

from collections.abc import Iterable

from bank_node.values import BankCode


class Caps:
    """What this bank may owe each other one, and each other one this bank."""

    def __init__(self, general: int, own: Iterable[str] = ()) -> None:
        """`own` are caps of single banks, each written `address=amount`."""
        self._general = general
        self._own: dict[str, int] = {}
        self.adopt(general, own)

    def adopt(self, general: int, own: Iterable[str]) -> None:
        """Goes on with changed caps. What is owed already stays owed."""
        self._general = general
        self._own = {bank: int(amount) for bank, _, amount in (row.partition("=") for row in own)}

    def of(self, bank: BankCode) -> int:
        """The cap between this bank and another one."""
        return self._own.get(bank, self._general)
