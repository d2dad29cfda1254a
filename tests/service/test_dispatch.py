"""The gate: order, deadlines, refusals and counts, whatever the ledger does and when."""

import logging

import pytest

from bank_node.errors import Reason, Refused
from bank_node.ledger.operations import Deposit, ReadBalance
from bank_node.service.handlers import HANDLERS, Handler

AD = "AD 10001/10.1.2.3 5"
AB = "AB 10001/10.1.2.3"
UNKNOWN = "ER The outcome is unknown, check the balance before you try again.\r\n"


def test_a_read_alone_is_answered_at_once_from_durable_state(session, ledger):
    assert session.ask(AB) == "AB 70"
    assert ledger.reads == [ReadBalance(10001)]
    assert ledger.operations == []


def test_a_write_is_answered_only_when_the_ledger_has_settled_it(session, ledger):
    session.send(AD)
    assert session.replies == []
    ledger.settle()
    assert session.replies == ["AD\r\n"]


def test_a_read_behind_a_write_is_decided_by_the_ledger_in_its_order(session, ledger):
    session.send(AD, AB, AD, AB)
    assert ledger.reads == []
    assert ledger.operations == [Deposit(10001, 5), ReadBalance(10001)] * 2
    ledger.settle(0, 75, 0, 80)
    assert session.replies == ["AD\r\n", "AB 75\r\n", "AD\r\n", "AB 80\r\n"]


def test_a_read_of_another_connection_does_not_wait(house, session, ledger):
    session.send(AD)
    assert house.session().ask(AB) == "AB 70"


def test_a_ledger_whose_reads_are_not_instant_is_asked_beside_the_writes(build):
    house = build(reads_are_instant=False)
    session = house.session()
    session.send(AB)
    assert session.replies == []
    house.ledger.find(70)
    assert session.replies == ["AB 70\r\n"]


def test_what_is_ready_waits_for_what_was_asked_before(session, ledger):
    session.send(AD, "BC", "nonsense", None, "QU")
    assert session.replies == []
    ledger.settle()
    first, *rest = session.replies
    assert first == "AD\r\n"
    assert rest[0] == "BC 10.1.2.3\r\n"
    assert [reply.split()[0] for reply in rest[1:]] == ["ER", "ER", "QU"]


def test_one_round_of_the_loop_is_one_submission(house, session, ledger):
    session.send(AD, AD, AD)
    assert len(ledger.submitted) == 1


def test_two_connections_of_one_batch_get_their_own_results(house, ledger):
    one, two = house.session(), house.session()
    for session in (one, two):
        house.desk.answer(AD.encode(), session, 0)
    house.desk.flush()
    ledger.settle(0, Reason.NO_SUCH_ACCOUNT)
    assert one.replies == ["AD\r\n"]
    assert two.replies == ["ER There is no such account.\r\n"]


def test_like_requests_of_one_packet_wait_together_and_each_has_its_own_result(
    house, session, ledger
):
    session.send(AD, AD, AD)
    assert (len(session.pending), session.in_flight) == (1, 3)
    ledger.settle(0, Reason.NO_SUCH_ACCOUNT, 0)
    assert session.replies == ["AD\r\n", "ER There is no such account.\r\n", "AD\r\n"]
    assert session.in_flight == 0
    assert (house.figures("AD")["count"], house.figures("AD")["errors"]) == (3, 1)
    assert [record[2:4] for record in house.records] == [
        (AD.encode(), reply.encode()) for reply in session.replies
    ]


def test_requests_that_wait_together_are_given_up_together(house, session, ledger):
    session.send(AD, AD)
    house.desk.expire(session.pending[0])
    session.flush()
    assert session.replies == [UNKNOWN, UNKNOWN]
    ledger.settle()
    assert session.ask("BC") == "BC 10.1.2.3"


def test_requests_wait_together_only_within_a_round_and_with_nothing_between(session, ledger):
    session.send(AD, "BC", AD)
    session.send(AD)
    assert len(session.pending) == 4
    ledger.settle()
    ledger.settle()
    assert session.replies == ["AD\r\n", "BC 10.1.2.3\r\n", "AD\r\n", "AD\r\n"]


def test_a_write_that_waits_too_long_has_an_unknown_outcome(house, session, ledger):
    session.send(AD)
    house.desk.expire(session.pending[0])
    session.flush()
    assert session.replies == [UNKNOWN]


def test_a_read_that_waits_too_long_has_timed_out(house, session, ledger):
    session.send(AD, AB)
    house.desk.expire(session.pending[1])
    ledger.settle(0, 75)
    assert session.replies == ["AD\r\n", "ER The bank did not answer in time.\r\n"]


def test_a_result_that_comes_too_late_is_not_told(house, session, ledger):
    session.send(AD)
    house.desk.expire(session.pending[0])
    session.flush()
    ledger.settle()
    assert session.replies == [UNKNOWN]
    assert session.ask("BC") == "BC 10.1.2.3"


def test_over_the_limit_requests_are_refused_and_the_place_comes_back(build):
    house = build(requests_queued=2)
    session, other = house.session(), house.session()
    session.send(AD, AD, AD)
    assert "too busy" in other.ask(AD)
    house.ledger.settle()
    assert [reply.strip() for reply in session.replies[:2]] == ["AD", "AD"]
    assert "too busy" in session.replies[2]
    other.send(AD)
    house.ledger.settle()
    assert other.replies == ["AD\r\n"]


@pytest.mark.parametrize(
    ("typed", "carried"),
    [
        ("ad  10001/10.9.9.9\t0005", b"AD 10001/10.9.9.9 5"),
        ("AW 10001/10.9.9.9 5", b"AW 10001/10.9.9.9 5"),
        ("Ab 010001/10.9.9.9", b"AB 10001/10.9.9.9"),
    ],
)
def test_a_request_for_another_bank_is_carried_there_plainly_written(house, typed, carried):
    session = house.session()
    session.send(typed)
    assert [line for _, line, _ in house.elsewhere.carried] == [carried]
    assert session.replies == []
    house.elsewhere.answer(b"AB 42\r\n")
    assert session.replies == ["AB 42\r\n"]
    assert house.ledger.operations == house.ledger.reads == []


def test_what_another_bank_answers_keeps_its_place_among_the_replies(house, session, ledger):
    session.send("AB 10001/10.9.9.9", AB, "BC")
    ledger.settle(70)
    assert session.replies == []
    house.elsewhere.answer(b"AB 42\r\n")
    assert session.replies == ["AB 42\r\n", "AB 70\r\n", "BC 10.1.2.3\r\n"]


def test_a_bank_that_is_not_to_be_asked_costs_one_refusal_and_no_place(build):
    house = build(requests_queued=1)
    house.elsewhere.refusal = Refused(Reason.OUT_OF_REACH, bank="8.8.8.8", own="10.1.2.3")
    session = house.session()
    for _ in range(3):
        assert session.ask("AB 10001/8.8.8.8").startswith("ER The bank 8.8.8.8 is outside")
    assert not session.pending


def test_a_failure_elsewhere_is_told_in_the_words_of_this_bank(house, session):
    session.send("AD 10001/10.9.9.9 5")
    house.elsewhere.answer(Refused(Reason.BANK_OUTCOME_UNKNOWN, bank="10.9.9.9"))
    assert session.replies == [
        "ER The bank 10.9.9.9 did not answer, the outcome is unknown, "
        "check the balance before you try again.\r\n"
    ]


def test_an_answer_from_elsewhere_that_comes_too_late_is_not_told(house, session):
    session.send("AD 10001/10.9.9.9 5")
    house.desk.expire(session.pending[0])
    session.flush()
    house.elsewhere.answer(b"AD\r\n")
    assert session.replies == [UNKNOWN]
    assert session.ask("BC") == "BC 10.1.2.3"


def test_what_another_bank_asks_is_never_carried_on(house, session):
    """So that requests cannot go in circles."""
    assert session.ask("LI 10.9.9.9") == "LI"
    assert "asks nobody else" in session.ask("AB 10001/10.8.8.8")
    assert session.ask(AB) == "AB 70"
    assert house.elsewhere.carried == []
    assert house.network.hints == ["10.9.9.9"]


def test_all_lines_about_a_request_that_went_on_carry_one_number(house, session):
    session.send("AB 10001/10.9.9.9", "BC")
    (_, _, trace), *_ = house.elsewhere.carried
    house.elsewhere.answer(b"AB 42\r\n")
    house.desk.flush()
    assert [record[-1] for record in house.records] == [trace, 0]
    assert trace > 0


def test_removing_a_foreign_account_is_not_forwarded(session, ledger):
    assert session.ask("AR 10001/10.9.9.9") == (
        "ER Accounts of another bank can be removed only there, AR is not forwarded."
    )
    assert ledger.operations == []


def test_without_extensions_only_the_classic_nine_exist(build):
    session = build(extensions=False).session()
    for code in ("HE", "VE", "QU"):
        assert session.ask(code).startswith("ER ")
        assert not session.closing
    assert session.ask("BC") == "BC 10.1.2.3"
    assert session.ask(AB) == "AB 70"


def test_quit_says_goodbye_and_closes(session):
    assert session.ask("QU") == "QU"
    assert session.closing


def test_nothing_else_closes(session):
    for line in ("BC", "HE", "VE", "XX", None, b"\xff\xfe", AB):
        session.ask(line)
    assert not session.closing


@pytest.mark.parametrize("line", ["", "   ", "\r", "\t \r"])
def test_an_empty_line_gets_nothing(session, line):
    session.send(line)
    assert session.replies == []


def test_a_line_that_was_too_long_is_one_error(session):
    assert session.ask(None) == "ER The line is longer than 1024 bytes."


def test_a_wrong_number_of_arguments_is_told_with_the_right_form(session):
    assert "AD <account>/<ip> <number>" in session.ask("AD 10001/10.1.2.3")


class TestADefect:
    """A defect of one handler costs the request that met it, and nothing beside it."""

    @pytest.fixture(autouse=True)
    def quiet(self, caplog):
        caplog.set_level(logging.CRITICAL)

    def fail(self, *_arguments):
        raise ZeroDivisionError

    def test_when_naming_the_operation(self, build, monkeypatch):
        monkeypatch.setitem(HANDLERS, "AD", Handler(HANDLERS["AD"].reply, self.fail))
        session = build().session()
        assert session.ask(AD) == "ER An internal error of the bank."
        assert session.ask("BC") == "BC 10.1.2.3"

    def test_when_telling_without_the_ledger(self, build, monkeypatch):
        monkeypatch.setitem(HANDLERS, "BC", Handler(self.fail))
        session = build().session()
        assert session.ask("BC") == "ER An internal error of the bank."
        assert session.ask(AB) == "AB 70"

    @pytest.mark.parametrize(
        ("code", "line", "told"),
        [("AC", "AC", UNKNOWN), ("AB", AB, "ER An internal error of the bank.\r\n")],
    )
    def test_when_telling_a_result(self, build, monkeypatch, code, line, told):
        monkeypatch.setitem(HANDLERS, code, Handler(self.fail, HANDLERS[code].operation))
        house = build()
        one, two = house.session(), house.session()
        for session, sent in ((one, AD), (one, line), (one, AD), (two, AD)):
            house.desk.answer(sent.encode(), session, 0)
        house.desk.flush()
        house.ledger.settle()
        assert one.replies == ["AD\r\n", told, "AD\r\n"]
        assert two.replies == ["AD\r\n"]

    @pytest.mark.parametrize("error", [ZeroDivisionError, Refused(Reason.ACCOUNT_NOT_EMPTY)])
    def test_when_telling_one_of_the_results_of_a_packet(self, build, monkeypatch, error):
        def told(_bank: object, _arguments: object, result: int) -> str:
            if result == 7:
                raise error
            return f"AW {result}"

        monkeypatch.setitem(HANDLERS, "AW", Handler(told, HANDLERS["AW"].operation))
        house = build()
        session = house.session()
        withdrawal = "AW 10001/10.1.2.3 5"
        session.send(withdrawal, withdrawal, withdrawal)
        house.ledger.settle(6, 7, 8)
        first, second, third = session.replies
        assert (first, third) == ("AW 6\r\n", "AW 8\r\n")
        assert second.startswith("ER ")


def test_calls_and_errors_are_counted_by_command_and_junk_apart(house, session, ledger):
    session.send("BC", "bc", "BC x", "nonsense", None, AD)
    ledger.settle()
    session.send("BC")
    counted = {code: house.figures(code) for code in ("BC", "AD", "??")}
    assert {code: each["count"] for code, each in counted.items()} == {"BC": 3, "AD": 1, "??": 3}
    assert {code: each["errors"] for code, each in counted.items()} == {"BC": 0, "AD": 0, "??": 3}


def test_the_latency_counts_from_the_arrival_to_the_reply(house, session, ledger):
    session.send(AD)
    house.now_ns += 3_000_000
    ledger.settle()
    session.send("BC")
    assert house.figures("AD")["max_us"] == 3000


def test_the_traffic_log_hears_of_every_request_once(house, session, ledger):
    session.send(AD, "BC")
    ledger.settle()
    session.send("XX")
    assert [(record[1], record[2], record[3]) for record in house.records] == [
        ("192.0.2.7:4000", AD.encode(), b"AD\r\n"),
        ("192.0.2.7:4000", b"BC", b"BC 10.1.2.3\r\n"),
        ("192.0.2.7:4000", b"XX", b"ER Unknown command.\r\n"),
    ]


def test_a_read_of_a_shared_ledger_overtakes_the_writes_of_others(build):
    house = build(reads_are_instant=False)
    writing, reading = house.session(), house.session(b"192.0.2.8:4000")
    writing.send(AD)
    reading.send(AB)
    assert [len(house.ledger.submitted), len(house.ledger.looked_up)] == [1, 1]
    house.ledger.find(70)
    assert reading.replies == ["AB 70\r\n"]
    assert writing.replies == []
    house.ledger.settle()
    assert writing.replies == ["AD\r\n"]


def test_what_follows_a_read_of_a_shared_ledger_on_its_connection_waits_for_it(build):
    house = build(reads_are_instant=False)
    session = house.session()
    session.send(AB, AD, AB)
    session.send(AB)
    assert house.ledger.submitted == []
    house.ledger.find(70)
    assert session.replies == ["AB 70\r\n"]
    assert [type(each).__name__ for each in house.ledger.operations] == [
        "Deposit", "ReadBalance", "ReadBalance",
    ]  # fmt: skip
    house.ledger.settle(0, 75, 75)
    assert session.replies[1:] == ["AD\r\n", "AB 75\r\n", "AB 75\r\n"]


def test_a_read_of_a_shared_ledger_behind_a_write_of_its_connection_is_decided_after_it(build):
    house = build(reads_are_instant=False)
    session = house.session()
    session.send(AD, AB)
    assert house.ledger.looked_up == []
    assert len(house.ledger.operations) == 2


def test_requests_behind_a_read_that_took_too_long_are_still_answered_in_order(build):
    house = build(reads_are_instant=False)
    session = house.session()
    session.send(AB, AD)
    house.desk.expire(session.pending[0])
    session.flush()
    session.send(AB)
    house.ledger.find(70)
    assert [type(each).__name__ for each in house.ledger.operations] == ["Deposit", "ReadBalance"]
    house.ledger.settle(0, 75)
    assert [reply.split()[0] for reply in session.replies] == ["ER", "AD", "AB"]
