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
        carrier = Carrier()
        office: Any = PostOffice(
            OWN, new_identity(bytes(32)), None, carrier, lambda *_: None, lambda *_: True
        )  # type: ignore[arg-type]
        office.send([(f"t{n}", OTHER, message) for n in range(300)])
        return carrier.lines

    told = asyncio.run(sent())
    assert len(told) == lines
    for line in told:
        assert len(line) <= TRANSFERS_LINE_BYTES_MAX
        assert parse_messages(line.split()[2])[0] == message
