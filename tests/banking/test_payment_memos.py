"""What a payee's bank is told of a payment beside its transfer: read back the same or not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_node.banking.payments.abroad import memo_of, parse_memo
from bank_node.banking.payments.exchange import Exchange
from bank_node.banking.payments.records import Payment
from bank_node.protocol.transfer_messages import MEMO_CHARACTERS_MAX

OF = "PRA" + "0a" * 16
BEHIND = ("refund", "chargeback", "collect", "mandate")
NOTES = ("", "two cups", "12", "~", f"~refund:{OF}", "x~EUR:1:25~13", "x~13")
kinds = st.sampled_from([("pay", ""), *((kind, OF) for kind in BEHIND)])
exchanges = st.none() | st.builds(
    Exchange, st.integers(1, 2**63 - 1), st.just("EUR"), st.just("25.105")
)


def payment(kind="pay", of="", rrn="", note="", exchange=None, payer="alice@prague"):
    there = exchange or Exchange(0, "", "")
    return Payment(
        "PRA" + "b" * 32, kind, payer, 10_001, "shop@brno", 10_002, "10.0.0.2", "Shop", 700, "r1",
        note, 0, rrn=rrn, of=of, order="bill", other_amount=there.amount,
        other_currency=there.currency, rate=there.rate,
    )  # fmt: skip


@given(kinds, exchanges, st.integers(0, 10**12 - 1), st.sampled_from(NOTES))
def test_a_memo_reads_back_the_same_with_whatever_belongs_to_it(kind, exchange, number, note):
    rrn = f"{number:012}" if number else ""
    told = memo_of(payment(*kind, rrn=rrn, note=note, exchange=exchange), "CZK")
    memo = parse_memo(told)
    assert memo is not None
    assert (memo.payer, str(memo.payee), memo.order, memo.note) == (
        "alice@prague", "shop@brno", "bill", note
    )  # fmt: skip
    assert (memo.kind, memo.of, memo.rrn) == (*kind, rrn)
    mine = exchange and Exchange(700, "CZK", exchange.rate)
    assert memo.exchange == mine


def test_a_text_that_is_too_long_stays_at_home_and_the_number_does_not():
    long = "a" * 256 + "@" + "b" * 32
    told = memo_of(payment(payer=long, note="\u017e" * 50, rrn="000000000013"), "CZK")
    assert len(told) <= MEMO_CHARACTERS_MAX
    memo = parse_memo(told)
    assert memo is not None
    assert memo.rrn == "000000000013"


@pytest.mark.parametrize(
    "odd", ["~013", "~0", "~1234567890123", "~13~13", "~EUR:1:1~EUR:1:1~13", "~refund:x~13",
            "~bribe:" + OF, "~-1"],
)  # fmt: skip
def test_a_memo_in_another_form_is_none(odd):
    assert parse_memo("alice@prague~shop@brno~bill~two+cups" + odd) is None
