"""RP: from the figures of the network to one sentence."""

import pytest

from bank_node.service.calls import BankFigures, Survey
from bank_node.values import AMOUNT_MAX, BankCode


def holding(*figures: tuple[str, int, int]) -> Survey:
    return Survey(tuple(BankFigures(BankCode(a), m, c) for a, m, c in figures), ())


CLASSROOM = holding(
    ("10.1.2.3", 600_000, 20), ("10.1.2.85", 400_000, 1), ("10.1.2.86", 2_000_000, 300)
)


@pytest.mark.parametrize(
    ("language", "reply"),
    [
        (
            "en",
            "RP To reach 1000000 the banks 10.1.2.3 and 10.1.2.85 are to be robbed "
            "and only 21 clients are harmed; 1000000 is taken.\r\n",
        ),
        (
            "cs",
            "RP K dosažení 1000000 je třeba vyloupit banky 10.1.2.3 a 10.1.2.85 "
            "a bude poškozeno jen 21 klientů, získáno bude 1000000.\r\n",
        ),
    ],
)
def test_the_plan_that_harms_fewest_is_told_in_one_sentence(build, language, reply):
    house = build(language=language)
    house.network.found = CLASSROOM
    session = house.session()
    session.send("RP 1000000")
    assert session.replies == [reply]


@pytest.mark.parametrize(
    ("clients", "words"),
    [(1, "bude poškozen jen 1 klient,"), (3, "budou poškozeni jen 3 klienti,"),
     (5, "bude poškozeno jen 5 klientů,"), (0, "bude poškozeno jen 0 klientů,")],
)  # fmt: skip
def test_czech_counts_clients_as_czech_does(build, clients, words):
    house = build(language="cs")
    house.network.found = holding(("10.1.2.3", 5, clients))
    session = house.session()
    session.send("RP 5")
    assert words in session.replies[0]


def test_the_setting_chooses_the_closest_sum_instead(build):
    house = build(objective="closest")
    house.network.found = holding(("10.1.2.3", 100, 1), ("10.1.2.4", 81, 50))
    session = house.session()
    session.send("RP 80")
    assert "the bank 10.1.2.4 is to be robbed" in session.replies[0]


def test_a_target_beyond_the_network_is_refused_and_told_what_there_is(build):
    house = build()
    house.network.found = holding(("10.1.2.3", AMOUNT_MAX, 1), ("10.1.2.4", AMOUNT_MAX - 1, 1))
    session = house.session()
    session.send(f"RP {AMOUNT_MAX}", "RP 5")
    assert session.replies[0].startswith("RP To reach 9223372036854775807 the bank 10.1.2.3 ")
    house.network.found = holding(("10.1.2.3", 5, 1))
    session.send("RP 6")
    assert session.replies[-1] == "ER The whole network holds only 5, banks counted: 1.\r\n"


def test_a_plan_of_very_many_banks_stays_one_readable_line(build):
    house = build()
    house.network.found = holding(*((f"10.1.{n >> 8}.{n & 255}", 1, 1) for n in range(1, 1101)))
    session = house.session()
    session.send("RP 1100")
    assert " and 100 more are to be robbed and only 1100 clients" in session.replies[0]


def test_asking_and_planning_share_the_reply_time(build):
    house = build()
    house.network.found = CLASSROOM
    session = house.session()
    session.send("RP 5")
    ((within_s, trace),) = house.network.asked
    assert 1 < within_s < 5
    assert trace > 0
