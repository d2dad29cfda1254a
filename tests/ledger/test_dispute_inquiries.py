"""Questions to the bank of a payee about a dispute: bounded, and believed only if signed."""

from types import SimpleNamespace

import pytest
from test_disputes_abroad import BRNO, PRAGUE, Scene

from bank_node.banking.payments.disputes import STATEMENTS_MAX
from bank_node.banking.payments.disputes_abroad import ABOUT_DISPUTES, statements
from bank_node.errors import Reason, Refused
from bank_node.node.inquiries import Inquiries
from bank_node.protocol.dispute_messages import DisputeAnswer, parse_dispute_message
from bank_node.security.identity import new_identity


class Brno:
    """The other bank, which answers with a key of its choice, or not at all."""

    def __init__(self, scene, key):
        self.scene, self.key, self.says = scene, key, None
        self.lines = []

    def key_of(self, _bank):
        return KEYS[0].key

    def ask(self, bank, line, done):
        assert bank == BRNO
        self.lines.append(line.decode())
        said = line.decode().split()[2]
        if self.key is None:
            done(Refused(Reason.BANK_SILENT))
            return
        answer = self.says or self.scene.hear(parse_dispute_message(said.encode()))
        done(ABOUT_DISPUTES.answer(self.key, BRNO, PRAGUE, said, answer.line).encode())


KEYS = [new_identity(bytes([n]) * 32) for n in (1, 2)]


class House:
    """Prague with a dispute about a payment to Brno, and time that stands still."""

    def __init__(self, key):
        self.scene = Scene()
        self.scene.raised()
        self.brno = Brno(self.scene, key)
        self.now_us = 1_700_000_000_000_000
        counter = SimpleNamespace(
            around=self.brno, terms=self.scene.at, rules=self.scene.at().rules,
            clock=SimpleNamespace(now_us=lambda: self.now_us),
        )  # fmt: skip
        self.inquiries = Inquiries(self, counter, KEYS[1], PRAGUE)

    def submit(self, operations, done):
        done([self.scene.prague.do(operation) for operation in operations])

    def make_round(self):
        return self.inquiries.make_round(self.scene.prague.store.open_notes("d:"))


@pytest.fixture
def house():
    return House(KEYS[0])


def test_a_round_says_all_there_is_to_say_and_then_is_silent(house):
    scene = house.scene
    house.make_round()
    scene.say(scene.brno, scene.shop, None, "first")
    scene.say(scene.brno, scene.shop, None, "second")
    scene.say(scene.prague, scene.alice, None, "third")
    house.make_round()
    assert len(scene.prague.dispute.said) == len(scene.brno.dispute.said) == 4
    asked = len(house.brno.lines)
    assert house.make_round() == 0
    assert len(house.brno.lines) == asked <= 8


def test_what_nobody_answers_is_asked_again_after_a_pause_only():
    house = House(None)
    assert [house.make_round() for _ in range(3)] == [1, 0, 0]
    house.now_us += 299 * 1_000_000
    assert house.make_round() == 0
    house.now_us += 1_000_000
    assert house.make_round() == 1


def test_an_answer_that_another_key_has_signed_is_not_believed():
    house = House(KEYS[1])
    house.brno.says = DisputeAnswer("rejected", 0, 1, 0, "", "operator")
    house.make_round()
    assert house.scene.prague.dispute.state == "raised"


def test_a_bank_that_never_stops_talking_is_asked_so_often_and_no_more(house):
    house.brno.says = DisputeAnswer("raised", 0, 0, 9, "more")
    house.make_round()
    assert len(house.brno.lines) <= 12
    assert len(statements(house.scene.prague.dispute, "payee")) <= STATEMENTS_MAX
