"""Pay URIs: what a code to scan may say, what is refused, and what a signature protects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_node.banking.payments.uri import (
    MODE_SECURE_QR,
    PayUri,
    UriRefused,
    build,
    parse,
    to_decimal,
)
from bank_node.protocol.payment_values import Vpa
from bank_node.security.signing import CodeKey, is_signed_code
from bank_node.values import AMOUNT_MAX

KEY = CodeKey(b"k" * 32)
SHOP = PayUri(
    Vpa("shop", "brno"),
    name="Café Müller & Söhne",
    category="5411",
    amount=12_350,
    currency="CZK",
    reference="till-1.42",
    note="2 coffees + 1 cake",
    mode=MODE_SECURE_QR,
    expires_us=1_800_000_000_000_000,
)
TEXTS = st.text(st.characters(exclude_categories=["C", "Zl", "Zp", "Zs"]), max_size=50)
URIS = st.builds(
    PayUri,
    st.builds(Vpa, st.from_regex(r"[a-z0-9._-]{2,30}", fullmatch=True), st.just("brno")),
    name=TEXTS,
    category=st.sampled_from(["0000", "5411"]),
    amount=st.none() | st.integers(1, AMOUNT_MAX),
    currency=st.sampled_from(["", "CZK", "EUR"]),
    reference=st.from_regex(r"[A-Za-z0-9._-]{0,35}", fullmatch=True),
    note=TEXTS,
    mode=st.sampled_from(["01", "15", "16"]),
    amount_min=st.none(),
    payment_id=st.just(""),
    signature=st.just(""),
    signed=st.just(""),
    expires_us=st.none() | st.integers(0, 4_000_000_000).map(lambda s: s * 1_000_000),
)


@given(URIS)
def test_what_is_built_is_read_as_it_was_meant(uri):
    assert parse(build(uri)) == uri


def test_a_signed_uri_is_verified_over_its_text_without_the_signature():
    text = build(SHOP, KEY.sign)
    uri = parse(text)
    assert text.startswith(uri.signed + "&sign=")
    assert is_signed_code(uri.signed.encode(), uri.signature, KEY.public)
    assert uri._replace(signature="", signed="") == SHOP


@pytest.mark.parametrize(
    ("old", "new"),
    [("am=123.50", "am=1.00"), ("pa=shop@brno", "pa=thief@brno"), ("mode=02", "mode=01"),
     ("tr=till-1.42", "tr=till-1.43"), ("qrexpire=2027", "qrexpire=2037")],
)  # fmt: skip
def test_a_changed_part_breaks_the_signature(old, new):
    text = build(SHOP, KEY.sign)
    assert old in text
    uri = parse(text.replace(old, new))
    assert not is_signed_code(uri.signed.encode(), uri.signature, KEY.public)


def test_another_key_has_not_signed():
    uri = parse(build(SHOP, KEY.sign))
    assert not is_signed_code(uri.signed.encode(), uri.signature, CodeKey(b"x" * 32).public)
    for odd in ("", "!", "AAAA", uri.signature + "A", uri.signature.rstrip("=") + "\n"):
        assert not is_signed_code(uri.signed.encode(), odd, KEY.public)
    assert not is_signed_code(uri.signed.encode(), uri.signature, "no key")


def test_scheme_and_keys_are_read_in_either_case():
    assert parse("UPI://PAY?PA=Alice@Brno&Am=5&CU=CZK").amount == 500


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "upi"),
        ("https://pay?pa=a1@brno", "upi"),
        ("upi://mandate?pa=a1@brno", "upi"),
        ("upi://pay?", "upi"),
        ("upi://pay?am=5", "pa"),
        ("upi://pay?pa=shop", "pa"),
        ("upi://pay?pa=shop@brno&pa=thief@brno", "pa"),
        ("upi://pay?pa=shop@brno&PA=thief@brno", "pa"),
        ("upi://pay?pa=shop@brno&am=0", "am"),
        ("upi://pay?pa=shop@brno&am=0.00", "am"),
        ("upi://pay?pa=shop@brno&am=-5", "am"),
        ("upi://pay?pa=shop@brno&am=%2B5", "am"),
        ("upi://pay?pa=shop@brno&am=nan", "am"),
        ("upi://pay?pa=shop@brno&am=inf", "am"),
        ("upi://pay?pa=shop@brno&am=1e5", "am"),
        ("upi://pay?pa=shop@brno&am=1.005", "am"),
        ("upi://pay?pa=shop@brno&am=1,5", "am"),
        ("upi://pay?pa=shop@brno&am=.5", "am"),
        ("upi://pay?pa=shop@brno&am=05", "am"),
        ("upi://pay?pa=shop@brno&am=92233720368547758.08", "am"),
        ("upi://pay?pa=shop@brno&am=" + "9" * 400, "am"),
        ("upi://pay?pa=shop@brno&am=%D9%A5", "am"),
        ("upi://pay?pa=shop@brno&am=5&mam=6", "mam"),
        ("upi://pay?pa=shop@brno&mc=54", "mc"),
        ("upi://pay?pa=shop@brno&cu=koruna", "cu"),
        ("upi://pay?pa=shop@brno&mode=99", "mode"),
        ("upi://pay?pa=shop@brno&mode=02&am=5", "sign"),
        ("upi://pay?pa=shop@brno&sign=AAAA&am=5", "sign"),
        ("upi://pay?pa=shop@brno&tn=" + "x" * 51, "tn"),
        ("upi://pay?pa=shop@brno&tn=a%00b", "tn"),
        ("upi://pay?pa=shop@brno&tn=%E2%80%AEgnp", "tn"),
        ("upi://pay?pa=shop@brno&tn=%ff", "tn"),
        ("upi://pay?pa=shop@brno&tn=%zz", "upi"),
        ("upi://pay?pa=shop@brno&tn", "upi"),
        ("upi://pay?pa=shop@brno&", "upi"),
        ("upi://pay?pa=shop@brno#am=5", "upi"),
        ("upi://pay?pa=shop@brno&tn=a b", "upi"),
        ("upi://pay?pa=shop@brno\n", "upi"),
        ("upi://pay?pa=shöp@brno", "upi"),
        ("upi://pay?pa=shop@brno&tn=" + "x" * 2048, "upi"),
        ("upi://pay?pa=shop@brno" + "".join(f"&k{chr(97 + n % 26)}{chr(97 + n // 26)}=1"
                                            for n in range(41)), "upi"),
        ("upi://pay?pa=shop@brno&qrexpire=tomorrow", "qrexpire"),
        ("upi://pay?pa=shop@brno&qrexpire=2026-01-01T00:00:00", "qrexpire"),
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_refused(text, part):
    with pytest.raises(UriRefused) as caught:
        parse(text)
    assert caught.value.part == part
    assert caught.value.why


@given(st.text(max_size=200))
def test_no_text_breaks_the_parser(text):
    for scanned in (text, "upi://pay?" + text, "upi://pay?pa=shop@brno&" + text):
        try:
            uri = parse(scanned)
        except UriRefused:
            continue
        assert uri.payee


def test_keys_of_others_are_left_alone():
    assert parse("upi://pay?pa=shop@brno&url=https%3A%2F%2Fexample&purpose=00").amount is None


@pytest.mark.parametrize(
    ("said", "amount", "allowed"),
    [
        ("", 1, True),
        ("&am=5", 500, True),
        ("&am=5", 499, False),
        ("&am=5", 501, False),
        ("&am=5&mam=2", 200, True),
        ("&am=5&mam=2", 199, False),
        ("&am=5&mam=2", 501, False),
        ("&mam=2", 10**12, True),
    ],
)
def test_only_what_the_code_says_may_be_paid(said, amount, allowed):
    assert parse(f"upi://pay?pa=shop@brno{said}").allows(amount) is allowed


def test_an_amount_is_told_with_two_decimals():
    assert [to_decimal(n) for n in (1, 100, 12_350, AMOUNT_MAX)] == [
        "0.01", "1.00", "123.50", "92233720368547758.07",
    ]  # fmt: skip


def test_a_uri_that_no_camera_could_read_is_not_built():
    with pytest.raises(UriRefused):
        build(
            SHOP._replace(name="😀" * 50, note="😀" * 50, reference="x" * 35), lambda _: "s" * 1500
        )
