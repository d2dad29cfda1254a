"""Figures as people read them: amounts, bytes, durations, ages and times. Pure."""

from datetime import datetime

_UNITS = ("", "k", "M", "G", "T", "P", "E")
_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = 86_400
_US = 1_000_000


def amount(value: int | None) -> str:
    """An amount with its thousands apart, e.g. `1,234,567`; a dash for an unknown one."""
    return "–" if value is None else f"{value:,}"


def short(value: float) -> str:
    """A figure in at most five characters, e.g. `999`, `12.3k`, `9.22E`."""
    sign, value = ("-", -value) if value < 0 else ("", float(value))
    if value < 9.95 and value != int(value):
        return f"{sign}{value:.1f}"
    for unit in _UNITS:
        # What would be rounded up to a thousand belongs to the next unit.
        if value < 999.5 or unit == _UNITS[-1]:
            break
        value /= 1000
    digits = 0 if not unit or value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{sign}{value:.{digits}f}{unit}"


def size(count: float) -> str:
    """Bytes, e.g. `64.0 MB`."""
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if count < 1024 or unit == "TB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"


def duration(microseconds: float | None) -> str:
    """A latency or a length of time, e.g. `640 µs`, `3.2 ms`, `1.5 s`, `2m 03s`, `3h 20m`."""
    if microseconds is None:
        return "–"
    if microseconds < 1000:
        return f"{microseconds:.0f} µs"
    if microseconds < 99_950:
        return f"{microseconds / 1000:.1f} ms"
    if microseconds < 999_500:
        return f"{microseconds / 1000:.0f} ms"
    seconds = microseconds / _US
    if seconds < _MINUTE_S:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < _HOUR_S:
        return f"{whole // 60}m {whole % 60:02}s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S}h {whole % _HOUR_S // 60:02}m"
    return f"{whole // _DAY_S}d {whole % _DAY_S // _HOUR_S:02}h"


def age(then_us: int | None, now_us: int) -> str:
    """How old a figure is: `now`, `8s`, `4m`, `3h`, `12d`; a dash when it never was."""
    if not then_us:
        return "–"
    seconds = (now_us - then_us) // _US
    if seconds < 2:
        return "now"
    for limit, length, unit in ((_MINUTE_S, 1, "s"), (_HOUR_S, _MINUTE_S, "m"),
                                (_DAY_S, _HOUR_S, "h")):  # fmt: skip
        if seconds < limit:
            return f"{seconds // length}{unit}"
    return f"{seconds // _DAY_S}d"


def _moment(time_us: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(time_us / _US)
    except (OverflowError, OSError, ValueError):
        # The year 10,000 and later, which no clock shows.
        return None


def clock(time_us: int | None) -> str:
    """The time of day, local, e.g. `14:03:09`."""
    moment = _moment(time_us) if time_us else None
    return f"{moment:%H:%M:%S}" if moment else "–"


def date(time_us: int | None) -> str:
    """Date and time, local, e.g. `2026-11-21 14:03:09`."""
    moment = _moment(time_us) if time_us else None
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "–"


def stamp(time_us: int) -> str:
    """A time for the name of a file, e.g. `20261121-140309`."""
    moment = _moment(time_us)
    return f"{moment:%Y%m%d-%H%M%S}" if moment else str(time_us)


def share(part: float, whole: float) -> str:
    """A percentage, e.g. `12 %`; a dash of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else "–"


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun, e.g. `1 bank`, `1,200 banks`."""
    return f"{count:,} {noun(count, one, many)}"


def noun(count: int, one: str, many: str = "") -> str:
    """The noun of a count that stands apart, e.g. `bank` of 1, `banks` of 1,200."""
    return one if count == 1 else many or one + "s"


def count_of(part: int, whole: int, noun: str) -> str:
    """An honest count: `200 of 90,000 accounts`, or `90,000 accounts` when it is all."""
    if whole == 1:
        noun = noun.removesuffix("s")
    return f"{whole:,} {noun}" if part == whole else f"{part:,} of {whole:,} {noun}"
