"""Rates: exact, rounded one way, and never in favour of nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_node.banking.payments.exchange import (
    Exchange,
    arriving,
    costing,
    is_fair,
    parse_exchange,
    rates_of,
    share,
)
from bank_node.config.currencies import CURRENCIES, is_rate

rates = st.decimals("0.000000001", "999999999", places=9, allow_nan=False).map(lambda d: f"{d:f}")
amounts = st.integers(1, 10**15)


@given(amounts, rates)
def test_what_is_asked_for_arrives_for_what_it_costs(arrives, rate):
    assert is_rate(rate)
    costs = costing(arrives, rate)
    assert arriving(costs, rate) >= arrives
    assert arriving(costs - 1, rate) < arrives
    assert is_fair(costs, arrives, rate)


@given(amounts, rates)
def test_nobody_gets_more_than_the_rate_says(costs, rate):
    arrives = arriving(costs, rate)
    assert costing(arrives, rate) <= costs
    assert is_fair(costs, arrives, rate)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=8), amounts)
def test_the_shares_of_all_parts_are_the_whole(parts, of):
    whole, before, given_back = sum(parts), 0, 0
    for part in parts:
        back = share(before + part, whole, of) - share(before, whole, of)
        assert back >= 0
        before, given_back = before + part, given_back + back
        assert given_back <= of
    assert given_back == of


def test_examples_that_people_can_check():
    assert costing(1000, "25.105") == 25105
    assert costing(1, "25.105") == 26
    assert arriving(26, "25.105") == 1
    assert arriving(25, "25.105") == 0
    assert arriving(10_000, "0.04") == 250_000
    assert rates_of(["EUR=25.105", "USD=23"]) == {"EUR": "25.105", "USD": "23"}


@given(amounts, rates)
def test_an_exchange_reads_back_the_same(amount, rate):
    exchange = Exchange(amount, "EUR", rate)
    assert parse_exchange(exchange.word) == exchange


@pytest.mark.parametrize(
    "word", ["", "EUR", "EUR:5", "EUR::2", "EUR:0:2", "EUR:05:2", "EUR:-5:2", "EUR:5:0",
             "EUR:5:0.0", "EUR:5:nan", "EUR:5:1e3", "eur:5:2", "XTS:5:2", "EUR:5:2:3",
             f"EUR:{2**63}:2", "EUR:5:02", "EUR:5:2.", "EUR:\u0665:2"]
)  # fmt: skip
def test_what_is_no_exchange_is_none(word):
    assert parse_exchange(word) is None


@pytest.mark.parametrize("currency", ["CZK", "EUR", "USD", "INR", "GBP"])
def test_currencies_with_two_decimals_can_be_kept(currency):
    assert currency in CURRENCIES


@pytest.mark.parametrize("currency", ["JPY", "KWD", "XTS", "XAU", "czk", ""])
def test_others_cannot(currency):
    assert currency not in CURRENCIES
