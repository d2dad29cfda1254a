"""Messages for other banks share lines, and no line is longer than a bank takes."""

import asyncio
from typing import Any

import pytest

from bank_node.node.post_office import PostOffice
from bank_node.protocol.codec import TRANSFERS_LINE_BYTES_MAX
from bank_node.protocol.transfer_messages import TransferMessage, Word, parse_messages
from bank_node.security.identity import new_identity
from bank_node.values import AccountNumber, Amount, BankCode, TransferId

OWN, OTHER = BankCode("255.255.255.254"), BankCode("255.255.255.255")
LONGEST = (AccountNumber(99_999), AccountNumber(99_998), Amount(2**63 - 1), "x" * 780)


class Carrier:
    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def forward(self, _bank: object, line: bytes, *_others: Any) -> None:
        self.lines.append(line)


def opened() -> tuple[Carrier, Any]:
    """A post office that belongs to the loop that runs, and what carries its lines."""
    carrier: Any = Carrier()
    acquaintance: Any = None
    nobody, everything = (lambda *_: None), (lambda *_: True)
    identity = new_identity(bytes(32))
    return carrier, PostOffice(OWN, identity, acquaintance, carrier, nobody, everything)


def test_messages_gather_behind_a_line_that_is_on_its_way_unless_it_is_late():
    async def sent() -> list[list[int]]:
        carrier, office = opened()
        office._now = lambda: now[0]
        counts = []
        for now[0], said in ((1.0, 1), (1.1, 2), (1.2, 3), (2.0, 0), (9.0, 1)):
            commit = TransferMessage(Word.COMMIT, TransferId("c"))
            office.send([("c", OTHER, commit)] * said)
            office.tick()
            counts.append([line.count(b"C,c") for line in carrier.lines])
        return counts

    now = [0.0]
    # Two lines that nobody has answered are enough.
    assert asyncio.run(sent()) == [[1], [1], [1], [1, 5], [1, 5]]


@pytest.mark.parametrize(
    ("message", "lines"),
    [
        (TransferMessage(Word.COMMIT, TransferId("c")), 2),
        (TransferMessage(Word.PREPARE, TransferId("p" * 36), *LONGEST[:3]), 3),
        (TransferMessage(Word.PREPARE, TransferId("p" * 36), *LONGEST), 8),
    ],
)
def test_what_leaves_together_is_in_few_lines_that_the_other_bank_takes(message, lines):
    async def sent() -> list[bytes]:
        carrier, office = opened()
        office.send([(f"t{n}", OTHER, message) for n in range(300)])
        return carrier.lines

    told = asyncio.run(sent())
    assert len(told) == lines
    for line in told:
        assert len(line) <= TRANSFERS_LINE_BYTES_MAX
        assert parse_messages(line.split()[2])[0] == message
