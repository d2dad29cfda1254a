"""The traffic log: one safe line a request, bounded on disk and in memory, never in the way."""

import json
import re
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_node.telemetry import traffic
from bank_node.telemetry.traffic import Latest, TrafficLog
from bank_node.telemetry.traffic_lines import (
    OUTGOING,
    Record,
    Round,
    Sheet,
    count_requests,
    format_json,
    format_text,
    pack,
    records_of,
    unpack,
)

WHEN = 1_700_000_000.25
PEER = "10.1.2.3:50000"
ATTACKS = {
    "forged line": b"BC\r\n2026-01-01T00:00:00 fake",
    "forged line by LF alone": b"BC\n2026-01-01T00:00:00 fake",
    "NUL": b"B\0C",
    "bell": b"BC\x07",
    "backspace": b"BC\b\b",
    "clear screen": b"\x1b[2J\x1b]0;title\x07",
    "one-byte escape": "\x9b31m".encode(),
    "next line": "BC\u0085x".encode(),
    "line separator": "BC\u2028x\u2029".encode(),
    "bidi override": "AD \u202e001".encode(),
    "bidi isolate": "\u2066x\u2069".encode(),
    "byte order mark": "\ufeffBC".encode(),
    "invalid UTF-8": b"\xff\xfe\xc3(",
}

# What parts packed texts may be a part of them.
texts = st.one_of(st.binary(max_size=20), st.sampled_from([b"", b"\0", b"AD\r\n", b"A\0D"]))
formats = pytest.mark.parametrize("form", [format_text, format_json])
forms = pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
attacks = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)


def record(request: bytes = b"BC", reply: bytes = b"BC 10.1.2.3\r\n", us: int = 42) -> Record:
    return (WHEN, PEER, request, reply, us, 0)


def sheet(*requests: bytes, reply: bytes = b"AD\r\n", **but: object) -> Sheet:
    """Requests of one packet with the same reply."""
    size = len(requests)
    return Sheet(WHEN, PEER, size, pack(requests), pack([reply] * size), 42, 0)._replace(**but)


@pytest.fixture
def idle_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log thread waits until it is told to stop, so that tests decide when it writes."""
    monkeypatch.setattr(traffic, "_ROUND_S", 3600)


@pytest.fixture
def lost() -> list[int]:
    """How many lines were reported lost, call by call."""
    return []


@pytest.fixture
def open_log(
    tmp_path: Path, lost: list[int], idle_thread: None
) -> Iterator[Callable[..., TrafficLog]]:
    logs = []

    def open_it(*, as_json: bool = False, file_bytes: int = 10**6, kept: int = 3) -> TrafficLog:
        log = TrafficLog(
            tmp_path / "log" / "traffic.log",
            as_json=as_json,
            file_bytes=file_bytes,
            files_kept=kept,
            lost=lost.append,
        )
        logs.append(log)
        return log

    yield open_it
    for log in logs:
        log.close()


def lines_in(folder: Path) -> list[str]:
    """All lines of all files, the oldest first."""
    files = sorted(folder.iterdir(), key=lambda p: -int("0" + p.suffix.removeprefix(".log")[1:]))
    return [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_text_line_tells_time_peer_duration_request_and_reply():
    line = format_text([record(b"AB 10001/10.1.2.3\r", b"AB 500\r\n", 87)])
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:20\.250 10\.1\.2\.3:50000 87us AB 10001/10\.1\.2\.3 -> AB 500",
        line,
    )


def test_a_json_line_has_a_key_for_each_field():
    line = format_json([record(b" AB 10001/10.1.2.3\r", b"AB 500\r\n", 87)])
    assert json.loads(line) == {
        "time": WHEN,
        "peer": PEER,
        "us": 87,
        "request": "AB 10001/10.1.2.3",
        "reply": "AB 500",
        "trace": 0,
        "outgoing": False,
    }


def test_lines_that_belong_together_carry_one_number():
    asked = (WHEN, PEER, b"AD 10001/10.9.9.9 5", b"AD\r\n", 90, 17)
    passed_on = (WHEN, OUTGOING + "10.9.9.9:65525", b"AD 10001/10.9.9.9 5", b"AD\r\n", 80, 17)
    lines = format_text([passed_on, asked]).split("\n")
    assert all(" #17 AD 10001/10.9.9.9 5 -> AD" in line for line in lines)
    assert "-> 10.9.9.9:65525 80us" in lines[0]
    first, second = map(json.loads, format_json([passed_on, asked]).split("\n"))
    assert (first["peer"], first["outgoing"], first["trace"]) == ("10.9.9.9:65525", True, 17)
    assert (second["peer"], second["outgoing"], second["trace"]) == (PEER, False, 17)


def test_every_line_has_the_time_of_its_own_request():
    records = [(when, PEER, b"BC", b"BC\r\n", 1, 0) for when in (0.0, 0.5, 1.0, 1.25, 61.0, 1.0)]
    stamps = [line.split(" ")[0] for line in format_text(records).split("\n")]
    assert [stamp[-6:] for stamp in stamps] == ["00.000", "00.500", "01.000", "01.250", "01.000",
                                                "01.000"]  # fmt: skip
    assert {len(stamp) for stamp in stamps} == {len("1970-01-01T00:00:00.000")}


@formats
@given(st.lists(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=20)), min_size=1,
                         max_size=4), max_size=4))  # fmt: skip
@settings(max_examples=100)
def test_a_sheet_is_written_as_its_records_would_be(form, packets):
    sheets = [Sheet(WHEN, PEER, len(packet), *map(pack, zip(*packet, strict=True)), us, us)
              for us, packet in enumerate(packets)]  # fmt: skip
    assert form(sheets) == form(records_of(sheets))


@formats
@given(st.lists(st.tuples(st.sampled_from([PEER, "10.9.9.9:1"]), texts, texts,
                          st.integers(0, 2**40), st.integers(0, 3)), min_size=1, max_size=6),
       st.booleans())  # fmt: skip
@settings(max_examples=100)
def test_a_round_keeps_and_tells_each_of_its_requests(form, requests, is_tied):
    records = [(WHEN, *request[:4], request[4] if is_tied else 0) for request in requests]
    peers, asked, told, durations_us, traces = zip(*(each[1:] for each in records), strict=True)
    packed = Round(
        WHEN, peers, pack(asked), pack(told), array("Q", durations_us), traces if is_tied else ()
    )
    assert records_of([packed]) == records
    assert count_requests([packed, records[0]]) == len(records) + 1
    assert form([packed, records[0]]) == form([*records, records[0]])


@given(st.lists(texts))
def test_what_was_packed_comes_out_as_it_was(some):
    assert list(unpack(pack(some))) == some


@formats
def test_sheets_and_records_are_written_in_their_order(form):
    some = [record(b"N1"), sheet(b"N2\r", b"N3"), record(b"N4"), sheet(b"N5", trace=7)]
    lines = form(some).split("\n")
    assert [re.findall(r"\bN\d", line) for line in lines] == [[f"N{n}"] for n in range(1, 6)]


@attacks
def test_one_odd_line_of_a_sheet_stays_one_line(attack):
    text = format_text([sheet(b"AD", attack, b"AD")])
    assert len(text.splitlines()) == len(text.split("\n")) == 3
    assert text.replace("\n", "").isprintable()


@formats
def test_czech_stays_readable(form):
    reply = "ER Není dostatek finančních prostředků.\r\n"
    assert reply.strip() in form([record(reply=reply.encode())])


@formats
@attacks
def test_nothing_that_a_client_sends_escapes_from_its_line(form, attack):
    for hostile in (record(request=attack), record(reply=attack)):
        text = form([record(), hostile, record()])
        assert len(text.split("\n")) == 3
        assert text.replace("\n", "").isprintable()
        assert len(text.splitlines()) == 3


@attacks
def test_hostile_bytes_do_not_break_the_json(attack):
    entry = json.loads(format_json([record(attack, attack)]))
    assert entry["request"].isprintable()
    assert entry["reply"].isprintable()


@given(st.lists(st.tuples(st.binary(max_size=40), st.binary(max_size=40)), max_size=5))
@settings(max_examples=100)
def test_any_bytes_make_one_printable_line_each(pairs):
    records = [record(request, reply) for request, reply in pairs]
    for form in (format_text, format_json):
        text = form(records)
        assert text.count("\n") == max(0, len(records) - 1)
        assert text.replace("\n", "").isprintable()


@forms
def test_close_writes_everything_in_order(open_log, tmp_path, lost, as_json):
    log = open_log(as_json=as_json)
    for portion in range(5):
        log.extend([record(b"N%d" % n) for n in range(portion * 300, portion * 300 + 300)])
    log.close()
    numbers = [int(n) for line in lines_in(tmp_path / "log") for n in re.findall(r"\bN(\d+)", line)]
    assert numbers == list(range(1500))
    assert lost == []


def test_closing_twice_does_no_harm(open_log):
    log = open_log()
    log.close()
    log.close()


def test_a_log_continues_the_file_of_the_last_run(open_log, tmp_path):
    for name in (b"FIRST", b"SECOND"):
        log = open_log()
        log.extend([record(name)])
        log.close()
    assert [line.split(" ")[3] for line in lines_in(tmp_path / "log")] == ["FIRST", "SECOND"]


def test_handing_over_waits_for_no_disk(open_log, tmp_path):
    log = open_log()
    log.extend([record()] * 1000)
    assert lines_in(tmp_path / "log") == []


@pytest.mark.parametrize("kept", [1, 3])
def test_rotation_keeps_the_newest_files_and_no_more(open_log, tmp_path, kept):
    log = open_log(file_bytes=4096, kept=kept)
    log.extend([record(b"N%d" % n) for n in range(5000)])
    log.close()
    names = {path.name for path in (tmp_path / "log").iterdir()}
    assert names == {"traffic.log", *(f"traffic.log.{n}" for n in range(1, kept + 1))}
    last = [int(n) for line in lines_in(tmp_path / "log") for n in re.findall(r"\bN(\d+)", line)]
    assert last == list(range(5000 - len(last), 5000))


def test_a_file_outgrows_its_limit_by_one_portion_at_most(open_log, tmp_path):
    log = open_log(file_bytes=4096, kept=100)
    log.extend([record(b"N%d" % n) for n in range(5000)])
    log.close()
    portion = len(format_text([record(b"N4999")] * traffic._PORTION_MAX)) + 2
    sizes = [path.stat().st_size for path in (tmp_path / "log").iterdir()]
    assert max(sizes) <= 4096 + portion


def test_a_full_queue_loses_lines_and_counts_them(open_log, tmp_path, lost, monkeypatch):
    monkeypatch.setattr(traffic, "_LINES_MAX", 10)
    log = open_log()
    log.extend([record(b"KEPT")] * 8)
    log.extend([record(b"LOST")] * 3)
    log.extend([record(b"KEPT")] * 2)
    log.extend([record(b"LOST")])
    assert lost == [3, 1]
    log.close()
    assert [line.split(" ")[3] for line in lines_in(tmp_path / "log")] == ["KEPT"] * 10


def test_a_sheet_counts_as_many_lines_as_it_has(open_log, tmp_path, lost, monkeypatch):
    monkeypatch.setattr(traffic, "_LINES_MAX", 10)
    log = open_log()
    for requests in ([b"KEPT"] * 6, [b"LOST"] * 5, [b"KEPT"] * 4):
        log.extend([sheet(*requests)])
    assert lost == [5]
    log.close()
    assert [line.split(" ")[3] for line in lines_in(tmp_path / "log")] == ["KEPT"] * 10


def test_the_latest_are_numbered_request_by_request():
    latest = Latest(4)
    latest.add([record(b"1"), sheet(b"2", b"3"), record(b"4")])
    latest.add([sheet(b"5", b"6")])
    page = latest.read(2, 3)
    assert [(number, each[2]) for number, each in page.items] == [(3, b"3"), (4, b"4"), (5, b"5")]
    assert (page.next, page.lost, latest.newest) == (5, 0, 6)


@given(st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=4), max_size=12))
def test_the_latest_are_all_kept_and_not_many_more(rounds):
    latest = Latest(6)
    for sizes in rounds:
        latest.add([sheet(*[b"AD"] * size) for size in sizes])
    page = latest.read(0, 1000)
    kept = len(page.items)
    assert latest.newest == page.next == sum(map(sum, rounds))
    assert min(6, latest.newest) <= kept <= 6 + max(map(sum, rounds), default=0)
    assert page.lost == latest.newest - kept


def test_the_queue_has_room_again_after_writing(open_log, tmp_path, lost, monkeypatch):
    monkeypatch.setattr(traffic, "_LINES_MAX", 10)
    log = open_log()
    for _ in range(3):
        log.extend([record()] * 10)
        log._write(10)
    log.close()
    assert lost == []
    assert len(lines_in(tmp_path / "log")) == 30


def test_the_thread_writes_without_being_told(tmp_path, monkeypatch):
    written = traffic.threading.Event()
    monkeypatch.setattr(traffic, "_ROUND_S", 0.001)
    log = TrafficLog(
        tmp_path / "traffic.log", as_json=False, file_bytes=10**6, files_kept=1, lost=print
    )
    emit = log._handler.emit
    monkeypatch.setattr(log._handler, "emit", lambda entry: (emit(entry), written.set()))
    log.extend([record()])
    arrived = written.wait(60)
    log.close()
    assert arrived


def test_what_gathered_is_written_in_portions_with_room_between_them(tmp_path, monkeypatch):
    emitted, all_written = [], traffic.threading.Event()
    monkeypatch.setattr(traffic, "_ROUND_S", 0.05)
    log = TrafficLog(
        tmp_path / "traffic.log", as_json=False, file_bytes=10**6, files_kept=1, lost=print
    )

    def emit(entry):
        emitted.append(entry.getMessage().count("\n") + 1)
        if sum(emitted) == 1000:
            all_written.set()

    monkeypatch.setattr(log._handler, "emit", emit)
    log.extend([record()] * 1000)
    arrived = all_written.wait(60)
    log.close()
    assert arrived
    assert max(emitted) == traffic._PORTION_MIN


def test_a_folder_that_cannot_be_made_is_an_error_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        TrafficLog(
            tmp_path / "file" / "traffic.log",
            as_json=False,
            file_bytes=4096,
            files_kept=1,
            lost=print,
        )


def test_a_disk_that_fails_loses_lines_counts_them_and_says_nothing_on_the_screen(
    open_log, lost, capsys, monkeypatch
):
    log = open_log()

    def full(_text: str) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(log._handler.stream, "write", full)
    log.extend([record()] * 250)
    log._write(250)
    assert sum(lost) == 250
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_harms_neither_writing_nor_closing(tmp_path, lost, capsys, idle_thread):
    (tmp_path / "traffic.log").symlink_to("/dev/full")
    log = TrafficLog(
        tmp_path / "traffic.log", as_json=False, file_bytes=4096, files_kept=1, lost=lost.append
    )
    for _ in range(2):
        log.extend([record()] * 250)
        log._write(250)
    log.close()
    assert sum(lost) == 500
    assert capsys.readouterr().err == ""
