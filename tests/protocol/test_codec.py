"""The codec: what terminals, old clients and attackers send, cut into lines and parsed."""

from contextlib import suppress
from itertools import product

import pytest
from support.typed import (
    BOM,
    COMMANDS,
    DO_SGA,
    IAC,
    LIMIT,
    NAWS,
    NOP,
    SB,
    SE,
    TELNET_HELD_MAX,
    WILL_ECHO,
    feed_chunks,
    held,
)

from bank_node.errors import Reason, Refused
from bank_node.protocol.codec import (
    TRANSFERS_LINE_BYTES_MAX,
    LineBuffer,
    Request,
    encode_reply,
    parse_alike,
    parse_request,
)
from bank_node.protocol.commands import Audience, visible_commands

LONG = TRANSFERS_LINE_BYTES_MAX


def lines_of(data: bytes) -> list[bytes | None]:
    """The lines of a stream, which must be the same whole, in pairs and byte by byte."""
    _, whole = feed_chunks([data])
    for size in (1, 2, 3, 5):
        chunks = [data[i : i + size] for i in range(0, len(data), size)]
        assert feed_chunks(chunks)[1] == whole, f"in chunks of {size}"
    return whole


def replies_to(data: bytes) -> list[str]:
    """For each line that gets a reply: its command as understood, or the reason of refusal."""
    told = []
    for line in lines_of(data):
        if line is None:
            told.append(Reason.LINE_TOO_LONG.value)
            continue
        try:
            request = parse_request(line, COMMANDS)
        except Refused as refused:
            told.append(refused.reason.value)
        else:
            if request is not None:
                told.append(" ".join((request.command.code, *map(str, request.arguments))))
    return told


AD = "AD 10001/127.0.0.1 5"


CASES = (
    ("LF ends a line", b"BC\nBN\n", ["BC", "BN"]),
    ("CRLF ends a line", b"BC\r\nBN\r\n", ["BC", "BN"]),
    ("a stray CR after is dropped", b"BC\r\r\nBN\n\r", ["BC", "BN"]),
    ("a stray CR before is dropped", b"\rBC\r\n\r\rBN\n", ["BC", "BN"]),
    ("LF CR ends a line too", b"BC\n\rBN\n\r", ["BC", "BN"]),
    ("CR NUL ends a line", b"BC\r\0BN\r\0", ["BC", "BN"]),
    ("CR alone ends nothing", b"BC\rBN\n", ["argument_count"]),
    ("blanks at both ends are dropped", b"  BC  \n\tBN\t\r\n", ["BC", "BN"]),
    ("runs of blanks and tabs part arguments", b"AD\t 10001/127.0.0.1 \t5\n", [AD]),
    ("empty lines get nothing", b"\n\r\n\n \t\r\nBC\n", ["BC"]),
    ("a byte order mark is dropped", BOM + b"BC\r\n", ["BC"]),
    ("a byte order mark alone is an empty line", BOM + b"\r\n", []),
    ("a byte order mark inside is junk", b"B" + BOM + b"C\n", ["unknown_command"]),
    ("lower case is understood", b"bc\nBn\nad 10001/127.0.0.1 5\n", ["BC", "BN", AD]),
    ("leading zeros are accepted", b"AD 010001/127.0.0.1 0005\n", [AD]),
    ("zero is an amount", b"AD 10001/127.0.0.1 0\n", [AD[:-1] + "0"]),
    ("a sign is refused", b"AD 10001/127.0.0.1 +5\n", ["amount_format"]),
    ("a minus is refused", b"AD 10001/127.0.0.1 -5\n", ["amount_format"]),
    ("a point is refused", b"AD 10001/127.0.0.1 5.0\n", ["amount_format"]),
    ("an underscore is refused", b"AD 10001/127.0.0.1 5_0\n", ["amount_format"]),
    ("arabic digits", "AD 10001/127.0.0.1 ٣\n".encode(), ["amount_format"]),
    ("fullwidth digits", "AD １０００１/127.0.0.1 5\n".encode(), ["account_format"]),
    ("an ip with zeros", b"AB 10001/127.00.5.1\n", ["account_format"]),
    ("an ip out of range", b"AB 10001/999.1.1.1\n", ["account_format"]),
    ("an ip too short", b"AB 10001/1.2.3\n", ["account_format"]),
    ("an ip with a port", b"AB 10001/127.0.0.1:65525\n", ["account_format"]),
    ("the account is refused before the amount", b"AD x y\n", ["account_format"]),
    ("too few arguments", b"AD\nAD 10001/127.0.0.1\nHE\n", ["argument_count"] * 2 + ["HE"]),
    ("too many arguments", b"BC x\nAB 10001/127.0.0.1 5\n", ["argument_count"] * 2),
    ("too many for an optional one", b"HE AD\nHE AD AD\n", ["HE AD", "argument_count"]),
    ("the count is refused before the form", b"AD x y z\n", ["argument_count"]),
    ("junk is refused and the next line is read", b"?!\nBC\n", ["unknown_command", "BC"]),
    ("a code must stand alone", b"BCBN\nB\nBC;\n", ["unknown_command"] * 3),
    ("NUL is junk", b"B\0C\nBC\0\nBC\n", ["unknown_command"] * 2 + ["BC"]),
    ("invalid UTF-8", b"BC \xc3\x28\nBC\n", ["not_text", "BC"]),
    ("a cut off character", b"\xc5\nBC\n", ["not_text", "BC"]),
    ("a surrogate in UTF-8", b"\xed\xa0\x80\n", ["not_text"]),
    ("valid text that is no command", "žluťoučký\n".encode(), ["unknown_command"]),
    ("a byte 255 before a line end costs one line", b"BC\xff\nBN\n", ["not_text", "BN"]),
    ("a byte 255 before CRLF costs one line", b"\xff\r\nBN\r\n", ["not_text", "BN"]),
    ("a byte 255 before text is not text", b"\xffBC\nBN\n", ["not_text", "BN"]),
    ("backspace takes a character back", b"BX\bC\nBNN\x7f\n", ["BC", "BN"]),
    ("backspace at the start is harmless", b"\b\b\x7fBC\n", ["BC"]),
    ("backspace takes back all bytes of a character", "BCž\b\nB€\b🏦\x7fN\n".encode(),
     ["BC", "BN"]),
    ("backspaced to nothing is an empty line", b"BC\b\b\nBN\n", ["BN"]),
)  # fmt: skip


@pytest.mark.parametrize(
    ("data", "told"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_line_is_understood_however_it_is_typed(data, told):
    assert replies_to(data) == told


@pytest.mark.parametrize(
    "negotiation",
    [
        WILL_ECHO,
        DO_SGA,
        WILL_ECHO + DO_SGA,
        b"\xff\xfc\x0a",
        b"\xff\xfe\x0d",
        NOP,
        b"\xff\xf9",
        IAC + IAC,
        NAWS,
        SB + b"\x18\x00xterm-256color" + SE,
        SB + b"\x18" + IAC + IAC + b"\xf0" + SE,
        SB + SE,
        SB + b"\n" * 3000 + SE,
    ],
)
def test_telnet_negotiation_is_dropped_wherever_it_stands(negotiation):
    for data in (
        negotiation + b"BC\r\nBN\r\n",
        b"B" + negotiation + b"C\r\nBN\r\n",
        b"BC" + negotiation + b"\r\nBN\r\n",
        b"BC\r" + negotiation + b"\nBN\r\n",
        b"BC\r" + negotiation + b"\0BN\r\0",
        b"BC\r\n" + negotiation + b"BN\r\n",
        b"BC\r\n" + negotiation + negotiation + b"BN\r\n" + negotiation,
    ):
        assert replies_to(data) == ["BC", "BN"], data


def test_negotiation_does_not_count_as_part_of_the_line():
    assert lines_of(WILL_ECHO * 600 + b"BC\n") == [b"BC"]


def test_a_subnegotiation_without_end_is_held_in_three_bytes():
    buffer, lines = feed_chunks([b"BC\n" + SB, *[b"\nx" * 5000 + IAC] * 9])
    assert lines == [b"BC"]
    assert buffer.is_mid_line
    assert held(buffer) <= TELNET_HELD_MAX
    assert buffer.feed(b"\xf0BN\n") == [b"BN"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r\0"])
def test_a_line_may_have_as_many_bytes_as_the_limit_says(end):
    kept = LIMIT - len(end) + 1
    assert [len(line) for line in lines_of(b"x" * kept + end)] == [LIMIT]


@pytest.mark.parametrize(
    ("over", "end"),
    [*product([1, 2, 1000], [b"\n", b"\r\n", b"\r\0"]), (70_000, b"\n")],
)
def test_a_line_over_the_limit_is_reported_once_and_drained(over, end):
    data = b"x" * (LIMIT - len(end) + 1 + over) + end
    assert lines_of(data + b"BC\n") == [None, b"BC"]
    assert lines_of(b"BN\n" + data + b"\n" + data) == [b"BN", None, b"", None]


def test_a_long_line_is_reported_when_it_passes_the_limit_and_not_at_its_end():
    buffer = LineBuffer()
    assert buffer.feed(b"x" * LIMIT) == []
    assert buffer.feed(b"x") == [None]
    assert buffer.feed(b"x" * 10_000) == []
    assert buffer.is_mid_line
    assert buffer.feed(b"x\nBC\n") == [b"BC"]
    assert not buffer.is_mid_line


def test_a_line_about_transfers_may_be_longer_and_nothing_else():
    said = b"TM " + b"x" * (LONG - 3)
    assert lines_of(said + b"\nBC\n") == [said, b"BC"]
    assert lines_of(said + b"x\nBC\n") == [None, b"BC"]
    for other in (b"tm ", b" TM", b"TMx"):
        assert lines_of(other + b"x" * LIMIT + b"\nBC\n") == [None, b"BC"]


def test_long_lines_between_short_ones_keep_their_places():
    long = b"x" * (LIMIT + 1)
    assert lines_of(b"1\n" + long + b"\n2\n" + long + b"\n3\n") == [b"1", None, b"2", None, b"3"]


def test_a_line_waits_for_its_end():
    buffer = LineBuffer()
    assert buffer.feed(b"AD 10001/127.0.0.1 10") == []
    assert buffer.partial == b"AD 10001/127.0.0.1 10"
    assert buffer.is_mid_line
    assert buffer.feed(b"0\n") == [b"AD 10001/127.0.0.1 100"]
    assert not buffer.is_mid_line


@pytest.mark.parametrize("rest", [b"", b"\r", b" ", b"\r \t"])
def test_blanks_after_a_line_do_not_begin_another(rest):
    buffer, lines = feed_chunks([b"BC\n" + rest])
    assert lines == [b"BC"]
    assert not buffer.is_mid_line
    assert [line.strip() for line in buffer.feed(b"BN\n")] == [b"BN"]


@pytest.mark.parametrize("text", [b"BC", b"BA", b"BN", b"bc", b" BN ", b"BA\r"])
def test_three_commands_may_come_without_an_end(text):
    buffer, lines = feed_chunks([text])
    assert lines == []
    assert buffer.take_unended() == text.strip()
    assert buffer.take_unended() is None
    assert not buffer.is_mid_line


def test_the_late_end_of_an_unended_command_is_an_empty_line():
    buffer, _ = feed_chunks([b"BC"])
    assert buffer.take_unended() == b"BC"
    assert replies_to(b"".join(line + b"\n" for line in buffer.feed(b"\r\nBN\r\n"))) == ["BN"]


@pytest.mark.parametrize(
    "text",
    [b"", b"\r", b"B", b"BCC", b"BC BC", b"AC", b"QU", b"AD 10001/127.0.0.1 10", b"BC\nAC",
     b"x" * LIMIT + b"BC", b"x" * (LIMIT + 1), SB + b"BC"],
)  # fmt: skip
def test_nothing_else_is_taken_without_an_end(text):
    buffer, _ = feed_chunks([text])
    held = buffer.partial
    assert buffer.take_unended() is None
    assert buffer.partial == held


def test_a_request_keeps_the_row_the_values_and_the_line():
    request = parse_request(b" ad  10001/10.1.2.3 007\r", COMMANDS)
    assert request == Request(COMMANDS[b"AD"], ((10_001, "10.1.2.3"), 7), request.line)
    assert request.line.split() == [b"ad", b"10001/10.1.2.3", b"007"]


def test_a_wrong_count_tells_how_the_command_is_typed():
    with pytest.raises(Refused) as caught:
        parse_request(b"AD", COMMANDS)
    assert caught.value.details == {"usage": "AD <account>/<ip> <number>"}


def test_a_classic_node_does_not_know_extensions():
    classic = visible_commands(extensions=False, audience=Audience.PUBLIC)
    assert parse_request(b"HE", COMMANDS)
    with pytest.raises(Refused) as caught:
        parse_request(b"HE", classic)
    assert caught.value.reason is Reason.UNKNOWN_COMMAND


PLAIN_LINES = {
    "AB": [b"AB 10001/127.0.0.1", b"AB 10002/127.0.0.1\r"],
    "AD": [b"AD 10001/127.0.0.1 5", b" AD  10002/127.0.0.1 6 \r"],
    "TR": [b"TR 10001/127.0.0.1 10002/127.0.0.1 5", b"TR 10002/127.0.0.1 10001/10.0.0.1 7 an-id"],
}
ODD_LINES = [
    None,
    b"",
    b"AD",
    b"ad 10001/127.0.0.1 5",
    b"AD 10001/127.0.0.1",
    b"AD x 5",
    b"BC",
    b"AD 10001/127.0.0.1 5 5",
    b"AD 1\b10001/127.0.0.1 5",
    b"XX 10001/127.0.0.1 5",
]


@pytest.mark.parametrize("code", PLAIN_LINES)
def test_whole_lines_of_one_command_are_read_together_as_they_are_alone(code):
    lines = PLAIN_LINES[code] * 3
    alone = [parse_request(line, COMMANDS).arguments for line in lines]
    assert list(parse_alike(lines, COMMANDS[code.encode()])) == alone


@pytest.mark.parametrize("odd", ODD_LINES)
def test_lines_are_read_together_up_to_the_first_odd_one(odd):
    plain = PLAIN_LINES["AD"][0]
    alike = parse_alike([plain, plain, odd, plain], COMMANDS[b"AD"])
    read = []
    with suppress(Refused):
        read += [next(alike), next(alike)]
        read += alike
    assert read == [parse_request(plain, COMMANDS).arguments] * 2


def test_a_reply_ends_with_crlf():
    assert encode_reply("BC 127.0.0.1") == b"BC 127.0.0.1\r\n"
    assert encode_reply("ER Není.") == "ER Není.\r\n".encode()


@pytest.mark.parametrize("text", ["ER a\r\nAD", "ER a\x1b[2J", "ER \u202eab", "ER \ud800"])
def test_a_reply_carries_nothing_that_breaks_out_of_its_line(text):
    reply = encode_reply(text)
    assert reply.endswith(b"\r\n")
    assert reply.count(b"\n") == reply.count(b"\r") == 1
    assert reply[:-2].decode().isprintable()
