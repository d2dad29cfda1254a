"""How counts are told to people."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 bank`, `2,345 banks`: `plural` is for a noun that needs more than an `s`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {plural or noun + 's'}"


def told_harm(kills: int, freezes: int, cuts: int) -> str:
    """What was done to the banks in a storm."""
    return (
        f"{counted(kills, 'kill')}, {counted(freezes, 'freeze')}, {counted(cuts, 'cable')} pulled"
    )
