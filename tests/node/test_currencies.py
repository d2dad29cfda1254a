"""Payments between real banks that keep different currencies."""

import json
from contextlib import ExitStack

import pytest
from click.testing import CliRunner
from support.nodes import Running, some_host
from support.polling import until
from support.two_banks import ask, assert_closed, has, join, knows, serve, state

from bank_node.cli.payments import pay


@pytest.fixture
def abroad(tmp_path):
    """Opens a bank of crowns with these rates, and one of euros without any."""
    with ExitStack() as stack:

        def open_both(*rates: str) -> tuple[Running, Running]:
            hosts = [some_host(), some_host()]
            prague = stack.enter_context(
                serve(tmp_path, hosts[0], hosts, "prague", payments__rates=list(rates))
            )
            wien = stack.enter_context(
                serve(tmp_path, hosts[1], hosts, "wien", payments__currency="EUR")
            )
            until(lambda: knows(prague, wien) and knows(wien, prague), "banks know each other")
            return prague, wien

        yield open_both


def test_a_bank_of_another_currency_is_not_paid_without_a_rate(abroad):
    prague, wien = abroad("USD=22")
    alice = join(prague, "alice", 500)
    berta = join(wien, "berta")
    for line in ("PP alice@prague berta@wien 100 r1 2580", f"TR {alice} {berta} 100"):
        told = ask(prague, line)
        if line.startswith("TR"):
            assert told.startswith(("ER The bank of the payee keeps", "ER This account pays")), told
        else:
            assert told == (
                "ER The bank of the payee keeps another currency, and there is no rate for it."
            )
    assert has(prague, "alice@prague") == 500


def test_money_of_plain_accounts_does_not_change_its_currency(abroad):
    prague, wien = abroad("EUR=25")
    with prague.wire() as wire:
        payer = wire.ask("AC").split()[1]
        assert wire.ask(f"AD {payer} 500") == "AD"
    told = ask(prague, f"TR {payer} {join(wien, 'berta')} 100")
    assert told == "ER The bank of the payee keeps another currency, and there is no rate for it."


def test_a_payment_to_another_currency_is_quoted_and_both_sides_keep_both_amounts(abroad):
    prague, wien = abroad("EUR=25.105")
    join(prague, "alice", 100_000)
    join(wien, "shop", category="5411")
    quoted = json.loads(ask(prague, "PR shop@wien 1000")[3:])
    assert (quoted["currency"], quoted["rate"]) == ("EUR", "25.105")
    assert (quoted["costs"], quoted["costs_currency"], quoted["arrives"]) == (25105, "CZK", 1000)
    payment = ask(prague, "PP alice@prague shop@wien 25105 r1 2580").split()[1]
    assert_closed(prague, wien)
    mine, theirs = state(prague, payment), state(wien, payment)
    assert (mine["amount"], mine["currency"]) == (25105, "CZK")
    assert (mine["other_amount"], mine["other_currency"], mine["rate"]) == (1000, "EUR", "25.105")
    assert (theirs["amount"], theirs["currency"]) == (1000, "EUR")
    assert (theirs["other_amount"], theirs["other_currency"]) == (25105, "CZK")
    assert (has(prague, "alice@prague"), has(wien, "shop@wien")) == (74_895, 1000)
    back = ask(wien, f"PX shop@wien {payment} 333 b1 2580").split()[1]
    assert ask(wien, f"PX shop@wien {payment} 667 b2 2580").startswith("PX ")
    assert_closed(prague, wien)
    assert (has(prague, "alice@prague"), has(wien, "shop@wien")) == (100_000, 0)
    told = state(wien, back)
    assert (told["amount"], told["other_amount"], told["other_currency"]) == (333, 8359, "CZK")
    assert (state(prague, payment)["refunded"], state(wien, payment)["refunded"]) == (25105, 1000)


def test_a_code_in_another_currency_is_paid_with_exactly_what_it_costs(abroad):
    prague, wien = abroad("EUR=0.003")
    join(prague, "alice", 1000)
    vmid = join(wien, "shop", category="5411")
    code = ask(wien, f"PG {vmid} 700 order-7")[3:]
    assert ask(prague, f"PY alice@prague {code} 700 r1 2580").startswith("ER This code")
    assert ask(prague, f"PY alice@prague {code} 4 r1 2580").startswith("ER This code")
    assert ask(prague, f"PY alice@prague {code} 3 r1 2580").startswith("PY PRA")
    assert_closed(prague, wien)
    assert (has(prague, "alice@prague"), has(wien, "shop@wien")) == (997, 700)


def test_people_are_told_what_arrives_before_they_type_their_pin(abroad):
    prague, wien = abroad("EUR=25.105")
    join(prague, "alice", 100_000)
    vmid = join(wien, "shop", category="5411")
    code = ask(wien, f"PG {vmid} 1000 order-7")[3:]
    host, port = prague.address
    line = ["--from", "alice@prague", "--host", host, "--port", str(port)]
    done = CliRunner().invoke(pay, [code, *line], input="2580\n")
    assert "paying 251.05 to shop (shop@wien)" in done.output, done.output
    assert "10.00 EUR will arrive, at 25.105 for 1" in done.output
    again = CliRunner().invoke(pay, ["shop@wien", "--amount", "251.06", *line], input="2580\n")
    assert "10.00 EUR will arrive, at 25.105 for 1" in again.output
    assert_closed(prague, wien)
    assert has(wien, "shop@wien") == 2000


def test_a_request_in_another_currency_says_what_it_costs_and_just_that_arrives(abroad):
    prague, wien = abroad("EUR=25.105")
    join(prague, "alice", 100_000)
    join(wien, "shop", category="5411")
    bill = ask(wien, "PC shop@wien alice@prague 1000 bill 2580").split()[1]
    asked = state(prague, bill)
    assert (asked["amount"], asked["other_amount"], asked["other_currency"], asked["rate"]) == (
        25105, 1000, "EUR", "25.105"
    )  # fmt: skip
    assert state(wien, bill)["amount"] == 1000
    assert ask(prague, f"PA alice@prague {bill} 2580").startswith("PA PRA")
    assert_closed(prague, wien)
    assert (has(prague, "alice@prague"), has(wien, "shop@wien")) == (74_895, 1000)
    assert (state(prague, bill)["state"], state(wien, bill)["state"]) == ("paid", "paid")


def test_nobody_is_asked_in_a_currency_that_the_payers_bank_has_no_rate_for(abroad):
    prague, wien = abroad("USD=22")
    join(prague, "alice", 500)
    join(wien, "shop", category="5411")
    for _ in range(2):
        told = ask(wien, "PC shop@wien alice@prague 10 bill 2580")
        assert told.startswith("ER The bank of the payee keeps another currency"), told
    assert ask(prague, "PQ alice@prague 2580") == 'PQ {"requests":[]}'


def test_what_would_arrive_as_nothing_is_not_sent(abroad):
    prague, wien = abroad("EUR=25")
    join(prague, "alice", 1000)
    join(wien, "berta")
    told = ask(prague, "PP alice@prague berta@wien 24 r1 2580")
    assert told.startswith("ER "), told
    assert has(prague, "alice@prague") == 1000
