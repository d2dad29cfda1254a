"""Mandates between two real banks: approved there, paid from there, told to both sides."""

import json
import time

import pytest
from support.polling import until
from support.two_banks import Town, ask, has, state, tell, two_banks, waiting

from bank_node.protocol.mandate_letters import RunsLetter

_YEARS = "2020-01-01 2099-12-31"
_PATIENCE_S = 20


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    settings = {"payments__mandate_notice_s": 0, "payments__mandate_retry_s": 1}
    with two_banks(tmp_path_factory.mktemp("banks"), **settings) as pair:
        yield pair


class House(Town):
    """A payer in Prague with 5000, and a shop in Brno that wants to be paid again and again."""

    def proposed(self, terms: str = "exact 100 yearly:after:1", reference: str = "m1") -> str:
        line = f"PH {self.sh} {self.pa} {terms} {_YEARS} {reference} 2580 paper"
        reply = ask(self.brno, line)
        assert reply.startswith("PH BRN"), reply
        return reply.split()[1]

    def approved(self, terms: str = "exact 100 yearly:after:1") -> str:
        mandate = self.proposed(terms)
        assert self.say(mandate, "approve") == "PO active"
        return mandate

    def say(self, mandate: str, word: str) -> str:
        return ask(self.prague, f"PO {self.pa} {mandate} {word} 2580")

    def there(self, mandate: str, **wanted: object) -> None:
        """Waits until the bank of the shop knows this of a mandate."""

        def is_so() -> bool:
            told = state(self.brno, mandate)
            return all(told.get(name) == value for name, value in wanted.items())

        until(is_so, f"Brno knows {wanted}", _PATIENCE_S)


@pytest.fixture
def house(pair):
    return House(pair)


def test_what_a_payer_of_another_bank_has_approved_is_paid_once_without_anybody_asking(house):
    mandate = house.proposed("exact 100 onetime")
    assert house.states(mandate) == ("pending", "pending")
    (row,) = waiting(house.prague, house.pa)
    assert (row["id"], row["kind"], row["amount"], row["payee"], row["note"]) == (
        mandate, "mandate", 100, house.sh, "paper"
    )  # fmt: skip
    assert house.say(mandate, "approve") == "PO active"
    house.both_are(mandate, "completed")
    assert house.owns() == (4900, 100)
    mine, theirs = state(house.prague, mandate), state(house.brno, mandate)
    assert (mine["paid"], theirs["paid"]) == (1, 1)
    assert mine["last_payment"] == theirs["last_payment"]
    for bank in (house.prague, house.brno):
        paid = state(bank, mine["last_payment"])
        assert (paid["kind"], paid["of"], paid["amount"], paid["state"]) == (
            "mandate", mandate, 100, "success"
        )  # fmt: skip
    assert waiting(house.prague, house.pa) == []


def test_one_payment_is_made_in_each_period_and_the_next_one_is_told(house):
    mandate = house.approved()
    house.there(mandate, paid=1, state="active")
    told = [state(bank, mandate) for bank in (house.prague, house.brno)]
    assert told[0]["next_from"] == told[1]["next_from"] > "2026"
    assert house.owns() == (4900, 100)


def test_a_payer_pauses_lets_go_on_and_revokes_and_the_payee_is_told(house):
    mandate = house.approved("max 100 aspresented")
    for word, told in (("pause", "paused"), ("resume", "active"), ("revoke", "revoked")):
        assert house.say(mandate, word) == f"PO {told}"
        house.both_are(mandate, told)
    assert ask(house.brno, f"PJ {house.sh} {mandate} 50 2580").startswith("ER The request is over")
    declined = house.proposed(reference="m2")
    assert house.say(declined, "decline") == "PO declined"
    house.both_are(declined, "declined")


def test_a_payee_revokes_and_is_not_paid_any_more(house):
    mandate = house.approved("max 100 aspresented")
    assert ask(house.brno, f"PO {house.sh} {mandate} revoke 2580") == "PO revoked"
    house.both_are(mandate, "revoked")
    assert house.say(mandate, "resume").startswith("ER The request is over")
    assert ask(house.brno, f"PO {house.sh} {mandate} approve 2580").startswith("ER There is no")
    assert house.owns() == (5000, 0)


def test_a_payee_says_how_much_each_time_and_the_payers_bank_says_how_much_is_allowed(house):
    mandate = house.approved("max 100 aspresented")
    house.there(mandate, state="active")
    told = ask(house.brno, f"PJ {house.sh} {mandate} 101 2580")
    assert told == "ER The mandate does not allow this amount."
    for number, amount in ((1, 60), (2, 100)):
        assert ask(house.brno, f"PJ {house.sh} {mandate} {amount} 2580") == "PJ active"
        house.there(mandate, paid=number)
    assert house.owns() == (4840, 160)


def test_other_terms_count_when_the_payer_of_the_other_bank_agrees(house):
    mandate = house.approved("max 100 aspresented")
    house.there(mandate, state="active")
    assert ask(house.brno, f"PT {house.sh} {mandate} 300 2098-12-31 2580") == "PT active"
    asked = state(house.prague, mandate)
    assert (asked["amount"], asked["proposed"]["amount"], asked["proposed"]["end"]) == (
        100, 300, "2098-12-31"
    )  # fmt: skip
    house.there(mandate, proposed=asked["proposed"])
    assert house.say(mandate, "decline") == "PO active"
    house.there(mandate, proposed=None, amount=100)
    assert ask(house.brno, f"PT {house.sh} {mandate} 200 2098-12-31 2580") == "PT active"
    assert house.say(mandate, "approve") == "PO active"
    house.there(mandate, amount=200, end="2098-12-31")
    assert ask(house.brno, f"PJ {house.sh} {mandate} 150 2580") == "PJ active"
    house.there(mandate, paid=1)
    assert house.owns() == (4850, 150)
    assert ask(house.brno, f"PT {house.sh} {mandate} 200 2001-12-31 2580").startswith(
        "ER These terms"
    )


def test_a_payment_that_fails_is_tried_again_and_made_once(house):
    assert ask(house.brno, f"PF {house.other} 2580 active") == "PF"
    mandate = house.proposed()
    assert ask(house.brno, f"PF {house.sh} 2580 frozen") == "PF"
    assert house.say(mandate, "approve") == "PO active"
    house.there(mandate, why="payee_frozen")
    assert has(house.prague, house.pa) == 5000
    assert ask(house.brno, f"PF {house.sh} 2580 active") == "PF"
    house.there(mandate, paid=1, tries=None, why=None)
    assert house.owns() == (4900, 100)


def test_nobody_else_answers_a_mandate_or_changes_it(house):
    mandate = house.proposed()
    for bank, thief, word in (
        (house.prague, house.bo, "approve"), (house.prague, house.bo, "revoke"),
        (house.brno, house.other, "revoke"), (house.brno, house.sh, "approve"),
    ):  # fmt: skip
        told = ask(bank, f"PO {thief} {mandate} {word} 2580")
        assert told == "ER There is no such request that concerns you.", (thief, word)
    assert house.say(mandate, "approve") == "PO active"
    house.there(mandate, state="active")
    for line in (
        f"PJ {house.other} {mandate} 100 2580",
        f"PT {house.other} {mandate} 9 2099-01-01 2580",
    ):
        assert ask(house.brno, line) == "ER There is no such request that concerns you."


@pytest.mark.parametrize(
    ("payer", "terms", "code"),
    [("nobody@prague", "exact 1 daily", "ER U29"), ("alice@nowhere", "exact 1 daily", "ER U17"),
     ("", "exact 99999999 daily", "ER Z8")],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_refused(house, payer, terms, code):
    payer = payer or house.pa
    told = ask(house.brno, f"PH {house.sh} {payer} {terms} {_YEARS} m1 2580")
    assert told.startswith(code), told
    assert waiting(house.prague, house.pa) == []


def test_the_same_mandate_again_is_one_and_another_one_is_refused(house):
    assert house.proposed() == house.proposed()
    told = ask(house.brno, f"PH {house.sh} {house.pa} exact 101 daily {_YEARS} m1 2580")
    assert told.startswith("ER U01")
    assert len(waiting(house.prague, house.pa)) == 1


def test_how_a_mandate_stands_is_heard_of_the_payers_bank_only_and_never_taken_back(house):
    mandate = house.approved("max 100 aspresented")
    house.there(mandate, state="active")
    said = RunsLetter(mandate, 90, "revoked", 100, 0, 0, 0, 0, 0, 0, 0, 0, False, 0, 0, "", "")
    assert tell(house.brno, house.prague, said).answer == "no_such_request"
    assert tell(house.prague, house.brno, said._replace(serial=1, end=800_000)).answer == "heard"
    assert state(house.brno, mandate)["state"] == "active"
    assert house.say(mandate, "revoke") == "PO revoked"
    house.both_are(mandate, "revoked")
    again = said._replace(serial=91, state="active", end=800_000)
    assert tell(house.prague, house.brno, again).answer == "request_over"
    assert state(house.brno, mandate)["state"] == "revoked"


def test_both_sides_listen_to_what_becomes_of_a_mandate(house):
    tokens = [
        (bank, ask(bank, f"PK {vpa} 2580").split()[1])
        for bank, vpa in ((house.prague, house.pa), (house.brno, house.sh))
    ]
    cursors = [json.loads(ask(bank, f"PE {token}")[3:])["cursor"] for bank, token in tokens]
    mandate = house.proposed("exact 100 onetime")
    assert house.say(mandate, "approve") == "PO active"
    for (bank, token), cursor, you in zip(tokens, cursors, ("payer", "payee"), strict=True):
        told: list[str] = []
        give_up = time.monotonic() + 30
        while "completed" not in told and time.monotonic() < give_up:
            page = json.loads(ask(bank, f"PE {token} {cursor}")[3:])
            rows = [row for row in page["news"] if row["kind"] == "mandate" and "id" in row]
            assert {row["you"] for row in rows} <= {you}
            told += [row["state"] for row in rows]
            cursor = page["cursor"]
        assert told[-1] == "completed"
        assert told[0] == ("pending" if you == "payer" else "sent")


def test_a_mandate_asked_for_again_is_answered_as_before_although_its_last_day_is_over(
    house, monkeypatch
):
    def asked_within(amount=100):
        return ask(house.prague, f"PH {house.bo} {house.pa} exact {amount} daily {_YEARS} m2 2580")

    abroad, within = house.proposed(), asked_within()
    assert within.startswith("PH PRA")
    monkeypatch.setattr("bank_node.service.mandates.is_whole", lambda plan, day: False)
    assert house.proposed() == abroad
    assert asked_within() == within
    assert asked_within(101).startswith("ER U01"), "a reference means one thing only"
    line = f"PH {house.sh} {house.pa} exact 100 daily {_YEARS} other 2580"
    assert ask(house.brno, line) == "ER These terms leave no day to come."
