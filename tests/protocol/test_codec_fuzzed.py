"""The codec under bytes of chance, in chunks of chance."""

from contextlib import suppress
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.typed import (
    BOM,
    COMMANDS,
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
    LineBuffer,
    Request,
    encode_replies,
    encode_reply,
    parse_request,
)

# Pieces that meet often enough at random to reach every state of the buffer.
PIECES = st.one_of(
    st.binary(max_size=8),
    st.sampled_from(
        [b"\n", b"\r", b"\r\n", b"\r\0", b"\0", IAC, SB, SE, WILL_ECHO, NOP, NAWS, BOM, b"\b",
         b"BC", b"AD 10001/127.0.0.1 5", b"x" * 1000, b"x" * (LIMIT - 1), b"x" * LIMIT]
    ),
)  # fmt: skip
STREAMS = st.lists(PIECES, max_size=12).map(b"".join)


@st.composite
def split_streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A stream, and the same stream in chunks."""
    data = draw(STREAMS)
    cuts = draw(st.lists(st.integers(0, len(data)), max_size=12))
    return data, [data[a:b] for a, b in pairwise(sorted({0, *cuts, len(data)}))]


# The invariant of the fuzz tests below. For any bytes in any chunks:
# 1. the lines are those of the same bytes in one chunk;
# 2. each line has at most LINE_BYTES_MAX bytes and no LF in it;
# 3. a buffer never holds more than one line and the start of a telnet sequence;
# 4. parse_request returns a Request or None, or raises Refused, and nothing else;
# 5. encode_reply makes exactly one line of printable text of any string.


@given(split_streams())
@example((b"x" * LIMIT + b"\r\0BC\r\n", [b"x" * LIMIT + b"\r", b"\0BC\r\n"]))
@example((b"x" * 2000 + b"\r\0BC\r\n", [b"x" * 2000 + b"\r", b"\0BC\r\n"]))
@example((SB + IAC + IAC + b"\xf0\n", [SB + IAC, IAC + b"\xf0\n"]))
@settings(max_examples=200)
def test_however_a_stream_is_split_its_lines_are_the_same_and_bounded(stream):
    data, chunks = stream
    buffer, lines = LineBuffer(), []
    for chunk in chunks:
        lines += buffer.feed(chunk)
        assert held(buffer) <= LIMIT + TELNET_HELD_MAX
    assert lines == feed_chunks([data])[1]
    assert lines == feed_chunks([data[i : i + 1] for i in range(len(data))])[1]
    for line in lines:
        assert line is None or (len(line) <= LIMIT and b"\n" not in line)


@given(STREAMS)
@settings(max_examples=200)
def test_any_line_is_parsed_or_refused(data):
    for line in feed_chunks([data + b"\n"])[1]:
        if line is None:
            continue
        with suppress(Refused):
            request = parse_request(line, COMMANDS)
            assert request is None or isinstance(request, Request)


ARGUMENTS = st.sampled_from(
    [b"10001/127.0.0.1", b"99999/0.0.0.0", b"5", b"0", b"\xff", b"-1", b"AD"]
)


@given(st.sampled_from(sorted(COMMANDS)), st.lists(ARGUMENTS, max_size=4))
@settings(max_examples=200)
def test_a_known_command_is_refused_for_its_arguments_only_with_reasons_that_it_names(code, words):
    row = COMMANDS[code]
    reason = request = None
    try:
        request = parse_request(b" ".join((code, *words)), COMMANDS)
    except Refused as refused:
        reason = refused.reason
    if request is None:
        assert reason in (Reason.NOT_TEXT, Reason.ARGUMENT_COUNT, *row.errors)
    else:
        assert request.command is row
        assert len(request.arguments) == len(words)


@given(st.text(st.characters(codec=None)))
@settings(max_examples=200)
def test_any_text_becomes_one_reply_line(text):
    reply = encode_reply(text)
    assert reply.endswith(b"\r\n")
    assert reply[:-2].decode("utf-8").isprintable()
    assert b"\n" not in reply[:-2]


@given(st.lists(st.text(max_size=8), max_size=4))
def test_replies_are_encoded_together_as_they_are_alone(texts):
    assert encode_replies(texts) == [encode_reply(text) for text in texts]
