"""Money between real nodes: carried out once, never lost, whatever dies on the way."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.nodes import Running, open_network
from support.polling import until

from bank_node.banking.transfers import engine
from bank_node.banking.transfers.signing import answer_bytes, request_bytes
from bank_node.errors import Reason
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.transfers import Phase, Role, decode
from bank_node.network.lookout import Lookout
from bank_node.node.stores import open_archive
from bank_node.protocol.messages import Catalogue
from bank_node.security.identity import is_signed, new_identity
from bank_node.security.keyring import Pin


@pytest.fixture
def banks(tmp_path: Path) -> Iterator[Callable[..., list[Running]]]:
    """Opens nodes that know each other."""
    with ExitStack() as stack:

        def open_nodes(count: int = 2, **overrides: object) -> list[Running]:
            return open_network(stack, tmp_path, count, **overrides)

        yield open_nodes


def opened(node: Running, amount: int = 0) -> str:
    with node.wire() as wire:
        account = wire.ask("AC").removeprefix("AC ")
        assert wire.ask(f"AD {account} {amount}") == "AD"
    return account


def balance(node: Running, account: str) -> int:
    with node.wire() as wire:
        return int(wire.ask(f"AB {account}").removeprefix("AB "))


def position(node: Running, other: Running) -> int:
    account = node.node._store.account(settlement_account(other.bank))
    return account.balance if account else 0


def assert_quiet(*nodes: Running) -> None:
    until(lambda: not any(n.node._store.open_transfers() for n in nodes), "all has ended", 20)
    for one in nodes:
        for other in nodes:
            assert position(one, other) == -position(other, one)


def test_money_goes_from_one_bank_to_another_and_both_know(banks):
    payer, payee = banks()
    source, target = opened(payer, 500), opened(payee)
    with payer.wire() as wire:
        assert wire.ask(f"TR {source} {target} 200 rent") == "TR rent committed"
        assert wire.ask("TS rent") == f"TS rent committed {source} {target} 200"
        assert wire.ask("BA") == "BA 300"
    assert_quiet(payer, payee)
    assert (balance(payer, source), balance(payee, target)) == (300, 200)
    assert (position(payer, payee), position(payee, payer)) == (200, -200)
    with payee.wire() as wire:
        told = wire.ask(f"TS {payer.bank}/rent")
        assert told == f"TS {payer.bank}/rent committed {source} {target} 200"


def test_each_step_of_a_transfer_is_proven_by_the_signed_words_of_the_other_bank(banks):
    payer, payee = banks()
    source, target = opened(payer, 500), opened(payee)
    with payer.wire() as wire, payee.wire() as other:
        keys = [w.ask("VE").partition("key=")[2].split()[0] for w in (wire, other)]
        wire.send("".join(f"TR {source} {target} 1 n{n}\r\n" for n in range(20)).encode())
        assert wire.lines(20) == [f"TR n{n} committed" for n in range(20)]
    assert_quiet(payer, payee)
    shared = 0
    for bank, key in ((payer, keys[1]), (payee, keys[0])):
        records = {
            entry: decode(payload, entry)
            for block in bank.node._store.blocks()
            for entry, payload in block.payloads().items()
        }
        assert len(records) == (60 if bank is payer else 40)
        for record in records.values():
            if (record.role, record.phase) == (Role.PAYER, Phase.RESERVED):
                continue
            said = records[record.evidence_entry].evidence if record.evidence_entry else None
            shared += said is not None
            messages, *answers, signature = (said or record.evidence).decode().split("\n")
            assert record.id in [message.split(",")[1] for message in messages.split(";")]
            signed = (
                answer_bytes(payee.bank, payer.bank, messages, *answers)
                if answers
                else request_bytes(payer.bank, payee.bank, messages)
            )
            assert is_signed(signed, signature, key)
    assert shared, "entries of one line share its words"


def test_a_bank_that_decides_nothing_gets_no_promises_without_end(banks, monkeypatch):
    """Each takes memory, and pins an account, until its bank comes back with a decision."""
    monkeypatch.setattr(engine, "PROMISES_MAX", 3)
    payer, payee = banks()
    target = opened(payee)
    identity = payer.node.transfers._identity

    def prepare(name):
        said = f"P,{name},10001,{target[:5]},0"
        signature = identity.sign(request_bytes(payer.bank, payee.bank, said))
        with payee.wire() as wire:
            return wire.ask(f"TM {payer.bank} {said} {signature}").split()[1]

    full = "refused.too_many_promises"
    assert [prepare(f"n{n}") for n in range(5)] == ["prepared"] * 3 + [full] * 2
    with payer.wire() as wire:
        told = f"ER The bank {payee.bank} has made all the promises that it makes to one bank"
        assert wire.ask(f"TR {opened(payer, 1)} {target} 1").startswith(told)
    assert prepare("n1") == "prepared", "what was promised stays so"
    source = opened(payee, 5)
    with payee.wire() as wire:
        assert wire.ask(f"TR {source} {opened(payer)} 5").endswith("committed")


def test_a_transfer_can_be_asked_for_at_any_bank(banks):
    payer, payee, other = banks(3)
    source, target = opened(payer, 500), opened(payee)
    with other.wire() as wire:
        assert wire.ask(f"TR {source} {target} 200 rent") == "TR rent committed"
        assert wire.ask(f"TR {source} {target} 200 rent") == "TR rent committed"
    assert_quiet(payer, payee)
    assert balance(payee, target) == 200


def test_the_same_id_is_the_same_transfer_and_anything_else_is_refused(banks):
    payer, payee = banks()
    source, target = opened(payer, 500), opened(payee)
    with payer.wire() as wire:
        for _ in range(3):
            assert wire.ask(f"TR {source} {target} 200 rent") == "TR rent committed"
        assert "another transfer" in wire.ask(f"TR {source} {target} 201 rent")
    assert_quiet(payer, payee)
    assert balance(payer, source) == 300


def test_what_the_other_bank_refuses_comes_back(banks):
    payer, payee = banks()
    source = opened(payer, 500)
    nobody = f"99999/{payee.bank}"
    with payer.wire() as wire:
        assert wire.ask(f"TR {source} {nobody} 200 x") == "ER There is no account to pay to."
        assert wire.ask(f"TR {source} {nobody} 200 x") == "ER There is no account to pay to."
        assert wire.ask("TS x") == f"TS x aborted {source} {nobody} 200"
        assert wire.ask(f"AB {source}") == "AB 500"
    assert_quiet(payer, payee)


def test_what_a_transfer_came_to_is_told_although_the_other_bank_is_away(banks, monkeypatch):
    """Whoever got no answer asks again, and must not be told that nothing was booked."""
    (payer, payee) = banks()
    source, target = opened(payer, 500), opened(payee)
    with payer.wire() as wire:
        assert wire.ask(f"TR {source} {target} 200 rent") == "TR rent committed"
        assert_quiet(payer, payee)
        away = lambda _peer: Reason.BANK_SILENT  # noqa: E731
        monkeypatch.setattr(payer.node.transfers._acquaintance, "why_no_transfer", away)
        assert wire.ask(f"TR {source} {target} 200 rent") == "TR rent committed"
        assert "another transfer" in wire.ask(f"TR {source} {target} 201 rent")
        silent = f"ER The bank {payee.bank} did not answer, nothing was booked."
        assert wire.ask(f"TR {source} {target} 200 more") == silent
        assert wire.ask("TS more") == "ER There is no such transfer."
        assert wire.ask(f"AB {source}") == "AB 300"


def test_a_bank_that_is_not_there_costs_nothing(banks):
    (payer, payee) = banks()
    source, target = opened(payer, 500), opened(payee)
    payee.node.stop()
    with payer.wire(deadline_s=15) as wire:
        assert wire.ask(f"TR {source} {target} 200 x").startswith("ER ")
        assert wire.ask(f"AB {source}") == "AB 500"
        assert wire.ask(f"TR {source} 10001/10.99.0.1 5").startswith("ER The bank 10.99.0.1 is out")


def test_many_at_once_between_three_banks_and_not_a_unit_is_missing(banks):
    nodes = banks(3)
    accounts = [(node, opened(node, 10_000)) for node in nodes for _ in range(4)]
    for node in nodes:
        mine = [a for n, a in accounts if n is node]
        others = [a for n, a in accounts if n is not node]
        with node.wire(deadline_s=30) as wire:
            lines = [f"TR {mine[i % 4]} {others[i % 8]} {i % 7}" for i in range(200)]
            wire.send("".join(f"{line}\r\n" for line in lines).encode())
            assert all(reply.startswith("TR ") for reply in wire.lines(200))
    assert_quiet(*nodes)
    assert sum(balance(node, account) for node, account in accounts) == 120_000


def test_no_bank_owes_more_than_it_may(banks):
    payer, payee = banks(transfers__debit_cap=300)
    source, target = opened(payer, 1000), opened(payee)
    with payer.wire() as wire:
        assert wire.ask(f"TR {source} {target} 300").startswith("TR ")
        assert wire.ask(f"TR {source} {target} 1") == (
            "ER One of the two banks would owe the other one more than it may."
        )
    with payee.wire() as wire:
        assert wire.ask(f"TR {target} {source} 100").startswith("TR ")
    # The other bank may hear a moment later than its client what was decided.
    assert_quiet(payer, payee)
    with payer.wire() as wire:
        assert wire.ask(f"TR {source} {target} 100").startswith("TR ")


def test_a_bank_of_our_kind_is_never_taken_for_one_that_knows_deposits_only(banks):
    payer, payee = banks()
    source, target = opened(payer, 500), opened(payee)
    with payer.wire() as wire:
        assert wire.ask(f"TR {source} {target} 1").startswith("TR ")
        # It was too busy to introduce itself when it was asked again.
        forget_what_it_speaks(payer, payee)
        wire.ask(f"TR {source} {target} 7 odd")
    assert_quiet(payer, payee)
    arrived = balance(payee, target) - 1
    assert (arrived, position(payer, payee)) in ((0, 1), (7, 8))


def test_a_bank_that_has_not_introduced_itself_in_time_is_not_paid(banks, monkeypatch):
    payer, payee = banks()
    source, target = opened(payer, 500), opened(payee)
    with payer.wire() as wire:
        assert wire.ask(f"AB {target}") == "AB 0"
    # What is under way would be late, and not forgotten.
    until(lambda: has_introduced_itself(payee, to=payer), "it has introduced itself once")
    monkeypatch.setattr(Lookout, "introduce", introduce_nobody)
    payer.directory._change(payee.bank, capabilities=frozenset(), introduced_at=None)
    payer.node.transfers._acquaintance._keyring.forget(payee.bank)
    with payer.wire() as wire:
        told = wire.ask(f"TR {source} {target} 7 odd")
        assert told == f"ER The bank {payee.bank} did not answer, nothing was booked."
        assert wire.ask(f"AB {source}") == "AB 500"
    assert balance(payee, target) == 0


def has_introduced_itself(node: Running, to: Running) -> bool:
    peer = to.directory.verified(node.bank)
    return peer is not None and peer.introduced_at is not None


def forget_what_it_speaks(node: Running, other: Running) -> None:
    node.directory._change(other.bank, capabilities=frozenset(), name="", version="")


async def introduce_nobody(_lookout: Lookout, _address: str) -> None:
    """A bank that hangs at that very moment."""


def test_messages_that_are_not_signed_by_the_bank_they_name_change_nothing(banks):
    payer, payee = banks()
    source, target = opened(payer, 500), opened(payee)
    with payer.wire() as wire:
        assert wire.ask(f"TR {source} {target} 1 first").startswith("TR ")
    number = target.partition("/")[0]
    assert_quiet(payer, payee)
    before = payee.node._store.head.sequence
    with payee.wire() as wire:
        for sender in (payer.bank, payee.bank, "10.9.9.9"):
            told = wire.ask(f"TM {sender} P,forged,10001,{number},5 {'A' * 86}")
            assert told.startswith("ER The messages are not signed"), sender
        told = wire.ask("TM 10.0.0.1 nonsense x")
        assert told == "ER The messages about transfers are not in form."
    assert_quiet(payer, payee)
    assert payee.node._store.head.sequence == before


def pin_a_strange_key(at: Running, of: Running) -> None:
    """At one bank another key counts for another one, as after a move without its key file."""
    keyring = at.node.transfers._acquaintance._keyring
    keyring._put(Pin(of.bank, new_identity(bytes(31) + b"9").key, 1))


@pytest.mark.parametrize("language", ["en", "cs"])
def test_who_asks_is_told_that_the_other_bank_refuses_the_messages_of_this_one(banks, language):
    payer, payee = banks(language=language)
    source, target = opened(payer, 500), opened(payee)
    pin_a_strange_key(payee, payer)
    with payer.wire() as wire:
        told = wire.ask(f"TR {source} {target} 200 rent")
        text = Catalogue(language).error_sentence(Reason.MESSAGES_REFUSED)
        assert told == "ER " + text.format(bank=payee.bank)
        assert wire.ask(f"TR {source} {target} 200 rent") == told, "and so it stays"
        assert wire.ask("TS rent").startswith("TS rent aborted ")
    assert_quiet(payer, payee)
    assert (balance(payer, source), balance(payee, target)) == (500, 0)


def test_who_asks_is_told_that_the_other_bank_does_not_answer_with_its_key(banks):
    payer, payee = banks()
    source, target = opened(payer, 500), opened(payee)
    pin_a_strange_key(payer, payee)
    with payer.wire() as wire:
        told = wire.ask(f"TR {source} {target} 200 rent")
        assert told.startswith(f"ER The bank {payee.bank} answers without the signature")
    assert_quiet(payer, payee)
    assert (balance(payer, source), balance(payee, target)) == (500, 0)


def test_a_ledger_with_transfers_verifies(banks, tmp_path):
    payer, payee = banks()
    source, target = opened(payer, 500), opened(payee)
    with payer.wire() as wire:
        for amount in (1, 2, 3):
            assert wire.ask(f"TR {source} {target} {amount}").startswith("TR ")
    assert_quiet(payer, payee)
    for node in (payer, payee):
        report = open_archive(node.node.settings).verify(lambda _: None)
        assert (report.transfers, report.open_transfers) == (3, 0)
