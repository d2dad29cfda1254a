"""A witness: honest banks are never accused, and one that tells two histories is convicted."""

import random

import pytest

from bank_node.banking.witness import Fault, Record, Witness
from bank_node.errors import Refused
from bank_node.ledger.book import decide
from bank_node.ledger.journal import seal
from bank_node.ledger.log import Log
from bank_node.ledger.memory_store import MemoryStore
from bank_node.ledger.operations import Deposit, OpenAccount
from bank_node.ledger.proofs import TwoHistories, check_document, parse_document, to_json
from bank_node.security.identity import new_identity

BANK, OTHER = "10.0.0.1", "10.0.0.2"
US_NOW = 1_700_000_000_000_000


def book(store, operation):
    """A block for one operation."""
    state = store.fork([operation])
    decide(state, operation)
    store.commit(state, seal(store.head, state.entries, 1))


class Liar:
    """A bank with as many histories as it likes, all signed with one key; honest with one."""

    def __init__(self, code: str = BANK, seed: int = 1) -> None:
        self.code = code
        self.identity = new_identity(bytes([seed]) * 32)
        self.logs: dict[str, Log] = {}
        self.stores: dict[str, MemoryStore] = {}

    def history(self, name: str, *deposits: int) -> None:
        """Goes on with one of its histories, a block for each deposit."""
        if name not in self.stores:
            self.stores[name] = store = MemoryStore()
            book(store, OpenAccount(0))
            self.logs[name] = Log(store, self.code, self.identity, lambda: US_NOW)
        for amount in deposits:
            book(self.stores[name], Deposit(10_000, amount))

    def reply(self, name: str, line: str) -> str:
        code, *sizes = line.split()
        try:
            if code == "LH":
                return f"LH {to_json(self.logs[name].head())}"
            first, *second = map(int, sizes)
            return f"LC {to_json(self.logs[name].consistency(first, *(second or [None])))}"
        except Refused as refused:
            return f"ER {refused.reason.value}"

    def visited(self, witness: Witness, name: str = "true"):
        """One visit of a witness, who is shown this history."""
        reply = self.reply(name, witness.question(self.code))
        if reply.startswith("ER"):
            reply = self.reply(name, "LH")
        return witness.answered(self.code, self.identity.key, reply)

    def gossiped(self, teller: Witness, hearer: Witness):
        """One witness tells another what it has kept."""
        return hearer.told(self.code, self.identity.key, to_json(teller.head_of(self.code)))


@pytest.fixture
def bank():
    bank = Liar()
    bank.history("true", 1, 2, 3)
    return bank


@pytest.fixture
def witness():
    return Witness()


def convicted(bank, finding) -> TwoHistories:
    assert finding.fault is Fault.TWO_HISTORIES
    evidence = parse_document(to_json(finding.evidence))
    check_document(evidence, bank.identity.key)
    return evidence


def test_the_first_visit_keeps_the_head(bank, witness):
    assert witness.question(BANK) == "LH"
    assert bank.visited(witness) is None
    assert witness.head_of(BANK).size == 4
    assert witness.question(BANK) == "LC 4"
    assert witness.head_of(OTHER) is None


def test_an_honest_bank_that_grows_is_followed(bank, witness):
    for amount in range(5):
        assert bank.visited(witness) is None
        bank.history("true", amount)
    assert witness.head_of(BANK).size == 8


def test_an_empty_ledger_is_followed_from_its_beginning(witness):
    bank = Liar()
    bank.stores["true"] = store = MemoryStore()
    bank.logs["true"] = Log(store, BANK, bank.identity, lambda: US_NOW)
    assert bank.visited(witness) is None
    assert witness.question(BANK) == "LH"
    book(store, OpenAccount(0))
    assert bank.visited(witness) is None
    assert witness.head_of(BANK).size == 1


def test_a_bank_that_rewrote_its_ledger_is_convicted(bank, witness):
    bank.visited(witness)
    bank.history("rewritten", 1, 999, 3, 4)
    convicted(bank, bank.visited(witness, "rewritten"))
    assert witness.head_of(BANK).root == bank.logs["true"].head().root, "the first one is kept"
    convicted(bank, bank.visited(witness, "rewritten"))


def test_a_bank_that_shows_two_witnesses_two_histories_is_convicted(bank):
    one, other = Witness(), Witness()
    bank.history("false", 1, 2, 999)
    bank.visited(one, "true")
    bank.visited(other, "false")
    convicted(bank, bank.gossiped(one, other))
    convicted(bank, bank.gossiped(other, one))


def test_two_histories_of_different_length_are_found_at_the_next_visit(bank):
    one, other = Witness(), Witness()
    bank.history("false", 1, 2, 999, 4, 5)
    bank.visited(one, "true")
    bank.visited(other, "false")
    assert bank.gossiped(one, other) is None, "each head alone may be true"
    assert other.question(BANK) == "LC 4 6"
    convicted(bank, bank.visited(other, "false"))
    assert bank.gossiped(other, one) is None
    bank.history("true", 4, 5, 6)
    convicted(bank, bank.visited(one, "true"))


def test_what_honest_witnesses_tell_each_other_is_proven_and_forgotten(bank):
    one, other = Witness(), Witness()
    bank.visited(one)
    bank.history("true", 4, 5)
    bank.visited(other)
    assert bank.gossiped(one, other) is None
    assert bank.gossiped(other, one) is None
    for each in (one, other):
        assert bank.visited(each) is None
        assert each.records()[BANK] == Record(bank.logs["true"].head(), None)


def test_a_ledger_that_has_shrunk_is_told(bank, witness):
    bank.visited(witness)
    bank.history("restored", 1)
    finding = bank.visited(witness, "restored")
    assert (finding.fault, finding.evidence) == (Fault.SHRUNK, None)
    assert "of 4 blocks and now shows one of 2" in finding.text
    bank.history("restored", 8, 9, 10)
    convicted(bank, bank.visited(witness, "restored"))


def test_a_refusal_is_no_fault(bank, witness):
    bank.visited(witness)
    before = witness.records()
    for reply in ("ER The bank is too busy.", "ER", "", "what?"):
        assert witness.answered(BANK, bank.identity.key, reply) is None
    assert witness.answered(BANK, bank.identity.key, bank.reply("true", "LH")) is None
    assert witness.records() == before


def test_a_head_that_is_not_proven_to_continue_is_not_kept(bank, witness):
    bank.visited(witness)
    bank.history("true", 4)
    assert witness.answered(BANK, bank.identity.key, bank.reply("true", "LH")) is None
    assert witness.head_of(BANK).size == 4


@pytest.mark.parametrize("reply", ["LH", "LH {}", "LC x", 'LH {"kind":"inclusion"}'])
def test_an_answer_that_proves_nothing_is_told(bank, witness, reply):
    finding = witness.answered(BANK, bank.identity.key, reply)
    assert (finding.fault, finding.evidence) == (Fault.NOT_PROVEN, None)


def test_an_answer_with_another_key_or_of_another_bank_is_not_taken(bank, witness):
    stranger = Liar(seed=2)
    stranger.history("true", 1)
    assert stranger.visited(witness) is None
    witness = Witness()
    found = witness.answered(BANK, bank.identity.key, stranger.reply("true", "LH"))
    assert found.fault is Fault.NOT_PROVEN
    elsewhere = Liar(code=OTHER)
    elsewhere.history("true", 1)
    found = witness.answered(BANK, elsewhere.identity.key, elsewhere.reply("true", "LH"))
    assert found.fault is Fault.NOT_PROVEN
    assert witness.records() == {}


def test_lies_of_others_about_a_bank_are_ignored(bank, witness):
    bank.visited(witness)
    before = witness.records()
    stranger = Liar(seed=2)
    stranger.history("true", 9, 9, 9)
    for text in (to_json(stranger.logs["true"].head()), "", "{}", "null"):
        assert witness.told(BANK, bank.identity.key, text) is None
    assert witness.told(OTHER, bank.identity.key, to_json(bank.logs["true"].head())) is None
    assert witness.records() == before


@pytest.mark.parametrize("seed", range(20))
def test_an_honest_bank_is_never_accused(seed):
    """Witnesses come and go in any order, and tell each other what they know."""
    draws = random.Random(seed)
    bank, witnesses = Liar(), [Witness() for _ in range(3)]
    bank.history("true")
    for _ in range(60):
        one, other = draws.sample(witnesses, 2)
        action = draws.randrange(4)
        if action == 0:
            bank.history("true", draws.randrange(100))
        elif action == 1 and one.head_of(BANK):
            assert bank.gossiped(one, other) is None
        else:
            assert bank.visited(one) is None


@pytest.mark.parametrize("seed", range(20))
def test_a_bank_with_two_histories_is_always_convicted_in_the_end(seed):
    draws = random.Random(seed)
    bank, witnesses = Liar(), [Witness(), Witness()]
    common = [draws.randrange(100) for _ in range(draws.randrange(5))]
    for name, other in (("true", 1), ("false", 2)):
        bank.history(name, *common, other, *[7] * draws.randrange(4))
    shown = dict(zip(map(id, witnesses), ("true", "false"), strict=True))
    found = []
    for _ in range(6):
        for one, other in (witnesses, witnesses[::-1]):
            bank.history(shown[id(one)], *[7] * draws.randrange(3))
            found.append(bank.visited(one, shown[id(one)]))
            if other.head_of(BANK):
                found.append(bank.gossiped(other, one))
    assert any(finding and finding.fault is Fault.TWO_HISTORIES for finding in found)
