"""Messages for other banks share lines, and no line is longer than a bank takes."""

import asyncio
from typing import Any

import pytest

from bank_node.banking.transfers.signing import answer_bytes
from bank_node.node.post_office import PostOffice
from bank_node.protocol.codec import TRANSFERS_LINE_BYTES_MAX
from bank_node.protocol.transfer_messages import TransferMessage, Word, parse_messages
from bank_node.security.identity import new_identity
from bank_node.values import AccountNumber, Amount, BankCode, TransferId

OWN, OTHER = BankCode("255.255.255.254"), BankCode("255.255.255.255")
LONGEST = (AccountNumber(99_999), AccountNumber(99_998), Amount(2**63 - 1), "x" * 780)


THEIRS = new_identity(bytes(31) + b"1")


class Carrier:
    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.told: list[Any] = []
        """Who hears the answer to each line."""

    def forward(self, _bank: object, line: bytes, *_others: Any) -> None:
        self.lines.append(line)
        self.told.append(_others[-1])

    def answer(self, line: int, answers: str) -> None:
        """The other bank answers a line, signed."""
        messages = self.lines[line].split()[2].decode()
        signature = THEIRS.sign(answer_bytes(OTHER, OWN, messages, answers))
        self.told[line](f"TM {answers} {signature}\r\n".encode())


class Acquaintance:
    def key_of(self, _bank: object) -> str:
        return THEIRS.key


def opened() -> tuple[Carrier, Any]:
    """A post office that belongs to the loop that runs, and what carries its lines."""
    carrier: Any = Carrier()
    acquaintance: Any = Acquaintance()
    nobody, everything = (lambda *_: None), (lambda *_: True)
    identity = new_identity(bytes(32))
    return carrier, PostOffice(OWN, identity, acquaintance, carrier, nobody, everything)


def prepare(name: str) -> tuple[str, BankCode, TransferMessage]:
    return name, OTHER, TransferMessage(Word.PREPARE, TransferId(name), *LONGEST[:3])


def commit(name: str) -> tuple[str, BankCode, TransferMessage]:
    return name, OTHER, TransferMessage(Word.COMMIT, TransferId(name))


def said(line: bytes) -> list[str]:
    return [f"{each.word} {each.id}" for each in parse_messages(line.split()[2])]


def test_what_was_decided_leaves_with_the_next_lines_after_a_promise_and_not_one_journey_later():
    async def sent() -> list[list[str]]:
        carrier, office = opened()
        office.send([prepare("a")])
        office.send([prepare("b")])
        carrier.answer(0, "prepared")
        assert len(carrier.lines) == 1
        office.send([prepare("c")])
        assert len(carrier.lines) == 1
        office.send([commit("a")])
        return [said(line) for line in carrier.lines]

    assert asyncio.run(sent()) == [["P a"], ["P b", "P c", "C a"]]


def test_a_promise_that_nothing_is_decided_about_holds_nothing_up_for_long():
    async def sent() -> list[list[str]]:
        carrier, office = opened()
        office._now = lambda: now[0]
        office.send([prepare("a")])
        office.send([prepare("b")])
        carrier.answer(0, "prepared")
        now[0] = 1.3
        office.tick()
        return [said(line) for line in carrier.lines]

    now = [1.0]
    assert asyncio.run(sent()) == [["P a"], ["P b"]]


@pytest.mark.parametrize("answer", ["refused.no_such_payee", "aborted"])
def test_where_nothing_was_promised_what_waits_leaves_at_once(answer):
    async def sent() -> list[list[str]]:
        carrier, office = opened()
        office.send([prepare("a")])
        office.send([prepare("b")])
        carrier.answer(0, answer)
        return [said(line) for line in carrier.lines]

    assert asyncio.run(sent()) == [["P a"], ["P b"]]


def test_messages_gather_behind_a_line_that_is_on_its_way_unless_it_is_late():
    async def sent() -> list[list[int]]:
        carrier, office = opened()
        office._now = lambda: now[0]
        counts = []
        for now[0], count in ((1.0, 1), (1.1, 2), (1.2, 3), (2.0, 0), (9.0, 1)):
            office.send([commit("c")] * count)
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


def test_new_messages_would_wait_while_answers_or_decisions_are_about_to_come():
    async def told() -> list[bool]:
        carrier, office = opened()
        office._now = lambda: now[0]
        seen = [office.is_on_its_way(OTHER)]
        office.send([prepare("a")])
        seen.append(office.is_on_its_way(OTHER))
        carrier.answer(0, "prepared")
        seen.append(office.is_on_its_way(OTHER))
        office.send([commit("a")])
        carrier.answer(1, "committed")
        seen.append(office.is_on_its_way(OTHER))
        office.send([prepare("b")])
        now[0] = 1.3
        return [*seen, office.is_on_its_way(OTHER)]

    now = [1.0]
    assert asyncio.run(told()) == [False, True, True, False, False]
