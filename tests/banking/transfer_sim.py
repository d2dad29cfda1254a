"""Banks on a simulated network and clock, all driven by one seed.

Messages are late, lost, doubled and reordered, links go one way only, banks die between any two
steps and come back with nothing but their ledger. What the ledger has decided is durable; what a
bank had in mind is not.
"""

import heapq
import random
from collections.abc import Callable
from typing import Any

from bank_node.banking.transfers.engine import Engine
from bank_node.banking.transfers.flights import Order, Outcome, Reply
from bank_node.banking.transfers.participant import answer_to, operation_of
from bank_node.errors import Reason
from bank_node.ledger import audit
from bank_node.ledger.book import decide
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.journal import seal
from bank_node.ledger.memory_store import MemoryStore
from bank_node.ledger.operations import Deposit, OpenAccount, ReadTotal
from bank_node.ledger.transfers import Phase, Transfer
from bank_node.values import AMOUNT_MAX, AccountAddress

TIMEOUT_S = 4.5
CLASSIC = "10.0.9.9"


class Clock:
    """Virtual time and what is to happen in it."""

    def __init__(self) -> None:
        self.now = 0.0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (self.now + seconds, self._count, call))

    def step(self) -> bool:
        if not self._queue:
            return False
        self.now, _, call = heapq.heappop(self._queue)
        call()
        return True


class SimBank:
    """One bank: a durable ledger, and an engine that dies with each crash."""

    def __init__(self, world: "World", code: str) -> None:
        self.world, self.code = world, code
        self.store = MemoryStore()
        self.life = 0
        self.is_up = False
        self.clients: list[int] = []

    def open(self, balances: list[int]) -> None:
        self.clients = self.book([OpenAccount(n) for n in range(len(balances))])
        for number, balance in zip(self.clients, balances, strict=True):
            self.book([Deposit(number, balance)])

    def book(self, operations: list[Any]) -> list[Any]:
        state = self.store.fork(operations)
        results = [decide(state, operation) for operation in operations]
        if state.entries:
            self.store.commit(state, seal(self.store.head, state.entries, 1))
        return results

    def start(self) -> None:
        self.life += 1
        self.is_up = True
        self.engine = Engine(lambda bank: self.world.cap)
        self.engine.recover(self.store.open_transfers(), self.world.clock.now)
        self.after(0.0, self.carry_out)
        self.after(0.25, self.tick)

    def crash(self) -> None:
        self.is_up = False
        self.life += 1

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Something that this life of the bank does later."""
        life = self.life

        def if_alive() -> None:
            if self.is_up and self.life == life:
                call()

        self.world.clock.after(seconds, if_alive)

    def tick(self) -> None:
        self.engine.tick(self.world.clock.now)
        self.carry_out()
        self.after(0.25, self.tick)

    def carry_out(self) -> None:
        engine, draws = self.engine, self.world.draws
        operations, engine.operations = engine.operations, []
        messages, engine.messages = engine.messages, []
        deposits, engine.deposits = engine.deposits, []
        if operations:
            self.submit(
                [o for _, o in operations], lambda results: self.booked(operations, results)
            )
        for key, bank, message in messages:
            self.after(draws.random() * 0.01, lambda k=key, b=bank, m=message: self.send(k, b, m))
        for deposit in deposits:
            self.after(draws.random() * 0.01, lambda d=deposit: self.deposit(d))

    def submit(self, operations: list[Any], done: Callable[[list[Any]], None]) -> None:
        """Durable after a while, heard of after another; a crash may fall before either."""
        draws = self.world.draws

        def durable() -> None:
            results = self.book(operations)
            self.world.check()
            self.after(draws.random() * 0.01, lambda: done(results))

        self.after(draws.random() * 0.02, durable)

    def booked(self, operations: list[Any], results: list[Any]) -> None:
        for (key, operation), result in zip(operations, results, strict=True):
            self.engine.booked(key, operation, result, self.world.clock.now)
        self.carry_out()

    def send(self, key: str, bank: str, message: Any) -> None:
        is_open = [True]

        def close(reply: Reply) -> None:
            if is_open.pop() if is_open else False:
                self.engine.answered(key, message, reply, self.world.clock.now)
                self.carry_out()

        self.after(TIMEOUT_S, lambda: close(Reply(None)))
        other = self.world.banks[bank]
        for _ in range(self.world.copies()):
            self.world.carry(
                self,
                other,
                lambda: other.receive(
                    self, message, lambda a: self.after(0, lambda: close(Reply(a)))
                ),
            )

    def receive(self, sender: "SimBank", message: Any, answer: Callable[[Any], None]) -> None:
        operation = operation_of(sender.code, message, self.world.cap, b"signed")

        def decided(results: list[Any]) -> None:
            (result,) = results
            if isinstance(result, Transfer):
                if result.phase is Phase.RESERVED:
                    self.engine.promised(result, self.world.clock.now)
                self.engine.settled(result)
                self.carry_out()
            for _ in range(self.world.copies()):
                self.world.carry(self, sender, lambda: answer(answer_to(message, result)))

        self.submit([operation], decided)

    def deposit(self, deposit: Any) -> None:
        """A classic bank: it may carry out and not answer, refuse, or never hear of it."""
        draws = self.world.draws
        fate = draws.choice(["done", "done", "silent", "lost", "refused", "unreachable"])
        if self.world.is_calm:
            fate = "done"
        if fate in ("done", "silent"):
            self.world.classic[self.code, deposit.key] = deposit.amount
        reasons = {"done": None, "refused": Reason.NO_SUCH_ACCOUNT,
                   "unreachable": Reason.BANK_SILENT}  # fmt: skip
        reason = reasons.get(fate, Reason.BANK_OUTCOME_UNKNOWN)

        def answered() -> None:
            self.engine.deposited(deposit.key, reason, fate)
            self.carry_out()

        self.after(draws.random() * 0.1, answered)


class World:
    """The banks, the wires between them, and what clients were told."""

    def __init__(self, seed: int, banks: int = 3) -> None:
        self.draws = random.Random(seed)
        self.clock = Clock()
        self.cap = self.draws.choice([AMOUNT_MAX, AMOUNT_MAX, 400])
        self.is_calm = False
        self.cut: set[tuple[str, str]] = set()
        self.classic: dict[tuple[str, str], int] = {}
        self.told: dict[tuple[str, str], list[Outcome]] = {}
        self.banks = {f"10.0.0.{n}": SimBank(self, f"10.0.0.{n}") for n in range(1, banks + 1)}
        for bank in self.banks.values():
            bank.open([self.draws.choice([0, 100, 1000]) for _ in range(3)])
            bank.start()
        self.money = sum(bank.store.read(ReadTotal()) for bank in self.banks.values())

    def copies(self) -> int:
        if self.is_calm:
            return 1
        return self.draws.choices([0, 1, 2], [1, 7, 1])[0]

    def carry(self, sender: SimBank, receiver: SimBank, deliver: Callable[[], None]) -> None:
        if (sender.code, receiver.code) in self.cut:
            return
        delay = 0.01 if self.is_calm else self.draws.choice([0.001, 0.01, 0.1, 1.0, 8.0])
        self.clock.after(delay * self.draws.random(), lambda: deliver() if receiver.is_up else None)

    def order(self) -> None:
        """A client of some bank wants a transfer, perhaps one that was wanted before."""
        draws = self.draws
        bank = draws.choice(list(self.banks.values()))
        if not bank.is_up:
            return
        others = [code for code in self.banks if code != bank.code]
        target = draws.choice([*others, *others, CLASSIC])
        payees = [*self.banks[target].clients, 55_555] if target != CLASSIC else [12_345]
        name = f"t{draws.randrange(60)}"
        earlier = getattr(bank, "orders", {})
        order = earlier.get(name) or Order(
            name, draws.choice(bank.clients), AccountAddress(draws.choice(payees), target),
            draws.choice([0, 1, 30, 200]),
        )  # fmt: skip
        bank.orders = {**earlier, name: order}  # type: ignore[attr-defined]
        told = self.told.setdefault((bank.code, name), [])
        bank.engine.begin(
            order, told.append, self.clock.now + 4, is_classic=order.payee.bank == CLASSIC
        )
        bank.after(0.0, bank.carry_out)

    def mischief(self) -> None:
        draws = self.draws
        bank = draws.choice(list(self.banks.values()))
        if draws.random() < 0.5:
            if bank.is_up:
                bank.crash()
                self.clock.after(draws.random() * 12, bank.start)
        else:
            pair = tuple(draws.sample(sorted(self.banks), 2))
            self.cut.add(pair)  # type: ignore[arg-type]
            self.clock.after(draws.random() * 12, lambda: self.cut.discard(pair))  # type: ignore[arg-type]

    def run(self, seconds: float) -> None:
        end = self.clock.now + seconds
        while self.clock.now < end and self.clock.step():
            pass

    def heal(self) -> None:
        self.is_calm = True
        self.cut.clear()
        self.run(15)
        for bank in self.banks.values():
            if not bank.is_up:
                bank.start()

    def position(self, one: str, other: str) -> int:
        account = self.banks[one].store.account(settlement_account(other))  # type: ignore[arg-type]
        return account.balance if account else 0

    def check(self) -> None:
        """True at every moment: nothing is negative, nothing is lost, nothing is made."""
        total = sum(self.position(code, CLASSIC) for code in self.banks)
        in_flight = 0
        for one, bank in self.banks.items():
            assert all(account.balance >= 0 for account in bank.store.accounts())
            total += bank.store.read(ReadTotal())
            unconfirmed = {
                t.id: t for t in bank.store.open_transfers() if t.phase is Phase.COMMITTED
            }
            for other in self.banks:
                if one >= other:
                    continue
                in_flight += self.position(one, other) + self.position(other, one)
            for transfer in unconfirmed.values():
                payee = self.banks[self.bank_of(transfer)]
                record = payee.store.read(_read(f"{one}/{transfer.id}"))
                assert isinstance(record, Transfer), "what is committed was promised"
                if record.phase is Phase.RESERVED:
                    in_flight -= transfer.amount
                else:
                    assert record.phase is Phase.ENDED, "what is committed is never released"
        assert in_flight == 0, "every unit between two banks is that of a committed transfer"
        uncredited = sum(
            self.position(a, b) + self.position(b, a)
            for a in self.banks
            for b in self.banks
            if a < b
        )
        assert uncredited >= 0
        assert total + uncredited == self.money

    @staticmethod
    def bank_of(transfer: Transfer) -> str:
        from bank_node.ledger.entries import bank_of

        return bank_of(transfer.bank)

    def assert_all_is_resolved(self) -> None:
        for code, bank in self.banks.items():
            left = bank.store.open_transfers()
            assert all(t.phase is Phase.SENT for t in left), left
            for other in self.banks:
                assert self.position(code, other) == -self.position(other, code)
            report = audit.verify(bank.store.blocks(), (), (), audit.Anchor(0, 0, b""))
            assert report.total == bank.store.read(ReadTotal())
        for (code, name), outcomes in self.told.items():
            self._assert_told_the_truth(code, name, outcomes)

    def _assert_told_the_truth(self, code: str, name: str, outcomes: list[Outcome]) -> None:
        record = self.banks[code].store.read(_read(name))
        is_committed = isinstance(record, Transfer) and record.phase is Phase.ENDED
        for outcome in outcomes:
            if outcome.reason is None:
                assert is_committed, "who was told yes has paid"
            elif outcome.reason not in (
                Reason.TRANSFER_PENDING, Reason.TRANSFER_UNKNOWN, Reason.TRANSFER_ID_TAKEN,
                # These left nothing behind, so the same id may have come through later.
                Reason.INSUFFICIENT_FUNDS, Reason.DEBIT_CAP, Reason.TOO_BUSY,
            ):  # fmt: skip
                assert not is_committed, (name, outcome)
        if not isinstance(record, Transfer):
            return
        if self.bank_of(record) == CLASSIC:
            was_done = (code, name) in self.classic
            if record.phase is not Phase.SENT:
                assert is_committed == was_done, "a classic deposit was booked as it was done"
            return
        theirs = self.banks[self.bank_of(record)].store.read(_read(f"{code}/{name}"))
        is_credited = isinstance(theirs, Transfer) and theirs.phase is Phase.ENDED
        assert is_committed == is_credited


def _read(key: str) -> Any:
    from bank_node.ledger.transfer_operations import ReadTransfer

    return ReadTransfer(key)
