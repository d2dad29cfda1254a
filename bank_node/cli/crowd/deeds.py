"""What the users of a crowd do, what must be answered, and what that does to their money.

What has no final answer is unknown. In calm times it is asked again at once under the same
reference, which the bank promises is safe; in a storm only after it, by `ask_again`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import NamedTuple

from bank_node.cli.crowd.lines import Line, Lines
from bank_node.cli.crowd.people import MONEY, PIN, Crowd, Member

_WRONG_PIN = "1470"
_TOO_MUCH = 4 * MONEY
_AMOUNT_MAX = 900
# How long a bank may take to close the record of what came from another one, in tries.
_AGAIN_TRIES = 150
# How long the bank of a user may take to hear what a merchant of another one asks for.
_ARRIVAL_TRIES, _PAUSE_S = 200, 0.1

MIX = {"pay": 560, "code": 200, "wrong pin": 50, "no money": 40, "duplicate": 40, "replay": 30,
       "collect": 30, "decline": 10, "refund": 40}  # fmt: skip
"""What users do, and how many of a thousand do it."""

# What a payment can meet while banks are killed and cut off; it has not happened then.
# U48: a bank that has lost sight of the payer's does not know the payment to be given back.
_STORMY = ("ER U16", "ER U17", "ER U28", "ER U34", "ER U48", "ER U67", "ER U68")


class Wish(NamedTuple):
    """Money that somebody wants to move, and how it is asked for."""

    what: str
    payer: Member
    payee: Member
    amount: int
    home: int
    """The bank that is asked."""
    line: str


class Deeds:
    """See the module."""

    def __init__(self, crowd: Crowd, *, is_stormy: bool = False) -> None:
        self._crowd = crowd
        self._is_stormy = is_stormy
        self._references = count(1)
        self._has_mistyped: set[Member] = set()
        self.unknown: list[Wish] = []
        """What nobody knows the outcome of so far."""
        self._deeds: dict[str, Callable[[Lines, Member, str], Awaitable[None]]] = {
            "code": self._pay_code, "wrong pin": self._refused, "no money": self._refused,
            "collect": self._collect, "decline": self._collect, "refund": self._refund,
        }  # fmt: skip

    async def act(self, lines: Lines, member: Member) -> None:
        """A user does one of the things that people do."""
        what = self._crowd.draw.choices(list(MIX), list(MIX.values()))[0]
        if what == "wrong pin":
            # More than one mistake could lock it, and then nothing else would be as expected.
            what = "pay" if member in self._has_mistyped else what
            self._has_mistyped.add(member)
        await self._deeds.get(what, self._pay)(lines, member, what)

    async def ask_again(self, lines: Lines, member: Member) -> None:
        """Finds out what became of a user's wishes that had no answer in the storm."""
        for wish in [each for each in self.unknown if each.payer is member]:
            reply = await lines.of(wish.home).insist(wish.line, _AGAIN_TRIES)
            self.unknown.remove(wish)
            self._count(wish, reply, "asked again")

    async def _pay(self, lines: Lines, member: Member, what: str) -> None:
        payee, amount, line = self._other(member), self._amount(), lines.of(member.home)
        ref = self._reference()
        asked = f"PP {member.vpa} {payee.vpa}"
        wish = Wish(what, member, payee, amount, member.home, f"{asked} {amount} {ref} {PIN}")
        reply = await self._wish(line, wish)
        if what == "duplicate" and reply is not None:
            self._must_be(what, asked, await self._again(line, wish.line), reply)
        elif what == "replay" and reply is not None:
            told = await self._again(line, f"{asked} {amount + 1} {ref} {PIN}")
            self._must_be(what, asked, told, "ER U01")

    async def _pay_code(self, lines: Lines, member: Member, what: str) -> None:
        shop, amount = self._crowd.draw.choice(self._crowd.merchants), self._amount()
        ref = self._reference()
        asked = f"PY {member.vpa} {shop.code} {amount} {ref} {PIN}"
        reply = await self._wish(
            lines.of(member.home), Wish(what, member, shop, amount, member.home, asked)
        )
        if reply is not None:
            self._crowd.answered_at[reply.split()[1]] = time.perf_counter()

    async def _refused(self, lines: Lines, member: Member, what: str) -> None:
        payee = self._other(member)
        pin, amount = (_WRONG_PIN, 1) if what == "wrong pin" else (PIN, _TOO_MUCH)
        asked = f"PP {member.vpa} {payee.vpa} {amount} {self._reference()}"
        told = await self._again(lines.of(member.home), f"{asked} {pin}")
        self._must_be(what, asked, told, "ER ZM" if what == "wrong pin" else "ER Z9")

    async def _collect(self, lines: Lines, member: Member, what: str) -> None:
        """A merchant asks the user for money, who pays or declines."""
        shop, amount, line = self._asking(member), self._amount(), lines.of(member.home)
        if shop is None:
            await self._pay(lines, member, "pay")
            return
        asked = f"PC {shop.vpa} {member.vpa} {amount} {self._reference()}"
        told = await self._again(lines.of(shop.home), f"{asked} {PIN}")
        if told is None or not self._must_be("asked for money", asked, told, "PC "):
            return
        request = told.split()[1]
        await self._arrived(lines.of(shop.home), request)
        if what == "decline":
            told = await self._again(line, f"PD {member.vpa} {request} {PIN}")
            self._must_be(what, "PD", told, "PD declined")
            return
        approve = f"PA {member.vpa} {request} {PIN}"
        await self._wish(line, Wish(what, member, shop, amount, member.home, approve))

    async def _arrived(self, line: Line, request: str) -> None:
        """Waits until the user's bank has a request, which a busy one may not have said in time."""
        for _ in range(_ARRIVAL_TRIES):
            told = await self._again(line, f"PS {request}")
            if told is None or '"state":"sent"' not in told:
                return
            await asyncio.sleep(_PAUSE_S)

    async def _refund(self, lines: Lines, member: Member, what: str) -> None:
        """A user pays a merchant of any bank, which gives a part of it back, and no more."""
        shop, amount = self._crowd.draw.choice(self._crowd.merchants), self._amount() + 1
        ref = self._reference()
        asked = f"PP {member.vpa} {shop.vpa} {amount} {ref} {PIN}"
        reply = await self._wish(
            lines.of(member.home), Wish("pay", member, shop, amount, member.home, asked)
        )
        if reply is None:
            return
        back = f"PX {shop.vpa} {reply.split()[1]}"
        line, half = lines.of(shop.home), (amount + 1) // 2
        wish = Wish(what, shop, member, half, shop.home, f"{back} {half} {ref} {PIN}")
        if await self._wish(line, wish, _AGAIN_TRIES) is not None:
            told = await self._again(line, f"{back} {amount} {ref}x {PIN}")
            self._must_be("refund of too much", back, told, "ER ")

    async def _wish(self, line: Line, wish: Wish, tries: int = 10) -> str | None:
        """Moves money; the yes, or None for what is refused or not known."""
        if self._is_stormy:
            reply = await line.ask(wish.line)
        else:
            reply = await line.insist(wish.line, tries)
        if reply is None:
            self.unknown.append(wish)
            self._crowd.tally.unknown += 1
            return None
        return reply if self._count(wish, reply, wish.what) else None

    def _count(self, wish: Wish, reply: str, what: str) -> bool:
        """Takes in the final answer to a wish; whether it is a yes."""
        if reply.startswith(wish.line[:3]):
            wish.payer.expected -= wish.amount
            wish.payee.expected += wish.amount
        return self._must_be(what, wish.line.rpartition(" ")[0], reply, wish.line[:3])

    async def _again(self, line: Line, asked: str) -> str | None:
        """The answer to what moves no money, or none that was not moved before."""
        return await (line.ask(asked) if self._is_stormy else line.insist(asked))

    def _must_be(self, what: str, asked: str, reply: str | None, expected: str) -> bool:
        """Counts an answer; whether it is the one that was to come."""
        tally = self._crowd.tally
        if reply is None:
            tally.unknown += 1
            return False
        if reply.startswith(expected):
            tally.answers[what] += 1
            return True
        if self._is_stormy and reply.startswith(_STORMY):
            tally.answers["refused in the storm"] += 1
            return False
        tally.answers["contradictions"] += 1
        tally.contradict(asked, reply)
        return False

    def _reference(self) -> str:
        return f"r{next(self._references)}"

    def _amount(self) -> int:
        return self._crowd.draw.randint(1, _AMOUNT_MAX)

    def _other(self, member: Member) -> Member:
        while True:
            payee = self._crowd.draw.choice(self._crowd.users)
            if payee is not member:
                return payee

    def _asking(self, member: Member) -> Member | None:
        """A merchant who can ask a user for money: any, but in a storm one of the same bank."""
        merchants = self._crowd.merchants
        if self._is_stormy:
            merchants = [each for each in merchants if each.home == member.home]
        return self._crowd.draw.choice(merchants) if merchants else None
