"""The term of office: higher epochs win, and nothing of it is ever forgotten."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_node.errors import StartupError
from bank_node.ledger.office import Claim, Office, Role, is_proven, sign_claim
from bank_node.security.identity import new_identity

BANK, HERE, THERE = "10.0.0.1", "10.0.0.1:65525", "10.0.0.2:65400"
OURS, THEIRS = (new_identity(bytes([n]) * 32) for n in (1, 2))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "office.json"


@pytest.fixture
def office(path):
    return Office(path, "a-node")


def known(office):
    return (office.bank, office.epoch, office.role, office.leader, office.deposing)


def test_a_node_that_knows_nothing_leads_in_the_first_term(office, path):
    assert known(office) == ("", 1, Role.LEADER, "", "")
    assert not path.exists(), "and needs no file"


def test_a_follower_that_is_promoted_leads_in_the_next_term_and_has_somebody_to_tell(office):
    office.begin_to_follow(BANK, HERE)
    assert known(office) == (BANK, 1, Role.FOLLOWER, HERE, "")
    office.promote()
    assert known(office) == (BANK, 2, Role.LEADER, "", HERE)
    office.promote()
    assert office.epoch == 2, "a leader has nothing to be promoted to"
    office.note_deposed()
    assert office.deposing == ""


def test_a_leader_that_learns_of_a_higher_term_is_deposed(office):
    assert not office.learn(Claim(1, THERE))
    assert office.leads
    assert office.learn(Claim(2, THERE))
    assert known(office) == ("", 2, Role.DEPOSED, THERE, "")
    assert not office.learn(Claim(1, HERE))
    assert not office.learn(Claim(2, "?"))
    assert office.learn(Claim(2, HERE)), "the leader has moved"
    office.begin_to_follow(BANK, THERE)
    assert known(office) == (BANK, 2, Role.FOLLOWER, THERE, "")


def test_a_follower_goes_to_whoever_leads_in_a_higher_term(office):
    office.begin_to_follow(BANK, HERE)
    assert office.learn(Claim(3, THERE))
    assert known(office) == (BANK, 3, Role.FOLLOWER, THERE, "")
    assert office.learn(Claim(4, "?"))
    assert (office.epoch, office.leader) == (4, THERE), "no address is no reason to forget one"


actions = st.lists(
    st.one_of(
        st.tuples(st.just("learn"), st.integers(0, 6)),
        st.sampled_from([("promote",), ("follow",), ("note",), ("deposed",)]),
    ),
    max_size=12,
)


@settings(max_examples=20)
@given(actions)
def test_epochs_never_fall_and_everything_outlives_the_process(tmp_path_factory, actions):
    path = tmp_path_factory.mktemp("office") / "office.json"
    office, highest = Office(path, "a-node"), 1
    for name, *value in actions:
        if name == "learn":
            office.learn(Claim(value[0], THERE))
        elif name == "promote":
            office.promote()
        elif name == "follow":
            office.begin_to_follow(BANK, HERE)
        elif name == "note":
            office.note_follower(THERE)
        else:
            office.note_deposed()
        assert office.epoch >= highest
        highest = office.epoch
        again = Office(path, "another")
        assert known(again) == known(office)
        assert (again.node, again.followers) == (office.node, office.followers) or not path.exists()


def test_followers_are_remembered_up_to_a_limit(office):
    for n in range(40):
        office.note_follower(f"10.0.0.{n}:1")
        office.note_follower("10.0.0.0:1")
    assert len(office.followers) == 16


def test_a_change_that_cannot_be_kept_does_not_count(office, path):
    path.with_name(path.name + ".new").mkdir()
    with pytest.raises(OSError):
        office.learn(Claim(2, THERE))
    assert known(office) == ("", 1, Role.LEADER, "", "")


@pytest.mark.parametrize("text", ["", "{}", "[", '{"format":"bank office","version":2}'])
def test_a_note_that_cannot_be_read_stops_the_start(path, text):
    path.write_text(text)
    with pytest.raises(StartupError, match="who leads this bank"):
        Office(path, "a-node")


def test_a_claim_is_signed_in_every_part():
    claim = Claim(2, THERE)
    signature = sign_claim(OURS, BANK, claim)
    assert is_proven(claim, BANK, OURS.key, signature)
    assert not is_proven(claim, BANK, THEIRS.key, signature)
    assert not is_proven(claim, "10.0.0.9", OURS.key, signature)
    assert not is_proven(Claim(3, THERE), BANK, OURS.key, signature)
    assert not is_proven(Claim(2, HERE), BANK, OURS.key, signature)
