"""Letters to another bank about requests: said until they are heard, and believed if signed."""

from itertools import pairwise
from types import SimpleNamespace

import pytest
from test_disputes_abroad import BRNO, PRAGUE
from test_requests_abroad import BILL, Asking

from bank_node.banking.payments.requests_abroad import HearStands
from bank_node.errors import Reason, Refused
from bank_node.ledger.store import Store
from bank_node.node.correspondence import Correspondence
from bank_node.protocol.letters import LetterAnswer, parse_letter
from bank_node.security.identity import new_identity
from bank_node.service.letters import ABOUT_REQUESTS

KEYS = [new_identity(bytes([n]) * 32) for n in (1, 2)]
S = 1_000_000


class House:
    """Prague, whose client has declined what the shop of Brno asked for; time stands still."""

    def __init__(self, key):
        self.scene, self.key = Asking(), key
        self.scene.asked()
        self.scene.deliver()
        self.scene.end(self.scene.prague, self.scene.alice)
        self.now_us, self.lines, self.refuses = 1_700_000_000_000_000, [], None
        counter = SimpleNamespace(
            around=self, currency="CZK", rules=self.scene.rules,
            clock=SimpleNamespace(now_us=lambda: self.now_us),
        )  # fmt: skip
        self.letters = Correspondence(self, counter, KEYS[1], PRAGUE)

    def submit(self, operations, done):
        done([self.scene.prague.do(operation) for operation in operations])

    def key_of(self, _bank):
        return KEYS[0].key

    def ask(self, bank, line, done):
        """What Brno does with a line: it answers with a key of its choice, or not at all."""
        assert bank == BRNO
        code, sender, said, signature = line.decode().split()
        assert (code, sender) == ("TQ", PRAGUE)
        assert ABOUT_REQUESTS.is_question(PRAGUE, BRNO, said, signature, KEYS[1].key)
        self.lines.append(said)
        if self.key is None:
            done(Refused(Reason.BANK_SILENT))
            return
        heard = self.scene.brno.do(HearStands(parse_letter(said.encode()), PRAGUE))
        answer = LetterAnswer(heard if isinstance(heard, Reason) else self.refuses).line
        done(ABOUT_REQUESTS.answer(self.key, BRNO, PRAGUE, said, answer).encode())

    @property
    def open_notes(self):
        store: Store = self.scene.prague.store
        return store.open_notes("c:")

    def make_round(self):
        return self.letters.make_round(self.open_notes)


def test_what_is_owed_is_said_at_once_and_then_no_more():
    house = House(KEYS[0])
    house.letters.heard(house.open_notes)
    assert house.lines == [f"stands,{BILL},1,declined"]
    assert house.scene.states() == ("declined", "declined")
    assert not house.open_notes
    assert house.make_round() == 0


def test_what_nobody_answers_is_said_again_after_pauses_that_grow():
    house, said_at = House(None), []
    for second in range(700):
        house.now_us += S
        if house.make_round():
            said_at.append(second)
    pauses = [after - before for before, after in pairwise(said_at)]
    assert pauses == [4, 8, 16, 32, 64, 128, 256]
    assert len(house.open_notes) == 1


def test_a_restart_says_at_once_what_is_still_owed():
    house = House(None)
    assert [house.make_round() for _ in range(3)] == [1, 0, 0]
    again = House(KEYS[0])
    again.scene = house.scene
    assert again.make_round() == 1
    assert house.scene.states() == ("declined", "declined")


@pytest.mark.parametrize("key", [KEYS[1], None])
def test_an_answer_that_is_not_signed_by_that_bank_ends_nothing(key):
    house = House(key)
    house.make_round()
    assert len(house.open_notes) == 1


def test_a_bank_that_does_not_take_a_letter_for_good_is_not_told_again():
    house = House(KEYS[0])
    house.refuses = Reason.NO_SUCH_REQUEST
    house.make_round()
    assert not house.open_notes
    other = House(KEYS[0])
    other.refuses = Reason.TOO_BUSY
    other.make_round()
    assert len(other.open_notes) == 1
