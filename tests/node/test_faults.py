"""Faults on purpose in real nodes: off by default, loud when on, never at a public address."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from msgspec import structs
from support.nodes import Running, bank_port, open_network, running_node, settings, some_host
from support.polling import until
from support.processes import Served, run_bank
from support.wire import open_account

from bank_node.config import load
from bank_node.config.crash_points import CRASH_POINTS
from bank_node.errors import StartupError
from bank_node.node.faults import Faults


def test_nothing_goes_wrong_by_default():
    assert load(None, {}).settings.faults.enabled is False
    door = object()
    faults = Faults(load(None, {"BANK_FAULTS_DROP": "1"}).settings)
    assert faults.ledger(door) is faults.post(door) is faults.counter(door) is door


@pytest.mark.parametrize("host", ["8.8.8.8", "192.0.2.1", "172.32.0.1", "100.64.0.1"])
def test_a_node_with_a_public_address_does_not_start_with_faults(tmp_path, host):
    told = run_bank(
        *("serve", "--data", tmp_path, "--host", host, "--port", 0),
        cwd=tmp_path,
        env={"BANK_FAULTS_ENABLED": "true"},
    )
    assert told.returncode == 2
    assert f"faults.enabled is refused together with the public address {host}" in told.stderr


@pytest.mark.parametrize("host", ["127.3.2.1", "10.77.0.1", "172.16.0.9", "192.168.1.7"])
def test_private_addresses_may_have_faults_unless_the_code_is_a_public_one(tmp_path, host):
    given = {"network__host": host, "faults__enabled": True}
    Faults(settings(tmp_path, **given))
    with pytest.raises(StartupError, match="public address 9"):
        Faults(settings(tmp_path, network__code="9.9.9.9", **given))


def test_a_node_with_faults_says_so_at_the_start_and_to_the_operator(tmp_path):
    with Served(tmp_path, some_host(), BANK_FAULTS_ENABLED="1", BANK_FAULTS_DROP="0.25") as node:
        node.terminate()
        code, told = node.ended()
    assert code == 0
    assert "FAULTS ARE ON: this bank errs on purpose (drop 0.25)" in told


def test_the_operator_is_warned_as_long_as_faults_are_on(tmp_path):
    faults = {"enabled": True, "crash_at": "payer.after-commit-durable"}
    given = {f"faults__{name}": value for name, value in faults.items()}
    with running_node(tmp_path, **given) as running:
        entrance = running.node._entrance
        warnings = [warning._asdict() for warning in entrance.warnings()]
    assert {
        "kind": "faults_on",
        "text": "this bank errs on purpose: crash at payer.after-commit-durable",
    } in warnings


def test_every_point_is_documented():
    text = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
    assert all(f"`{p.replace('.after-', '.before-')}`" in text for p in CRASH_POINTS)


def test_lines_that_are_lost_late_doubled_and_overtaken_cost_no_unit(tmp_path):
    faults = {"enabled": True, "drop": 0.1, "delay": 0.4, "delay_s": 1.5, "duplicate": 0.3,
              "reorder": 0.3}  # fmt: skip
    given = {f"faults__{name}": value for name, value in faults.items()}
    hosts = [some_host(), some_host()]
    with ExitStack() as stack:
        nodes: list[Running] = [
            stack.enter_context(
                running_node(
                    tmp_path / host,
                    network__host=host,
                    network__port=bank_port(host),
                    network__subnets=[f"{other}/32" for other in hosts],
                    network__timeout=1.0,
                    faults__seed=number,
                    **given,
                )
            )
            for number, host in enumerate(hosts)
        ]
        wires = [stack.enter_context(node.wire(deadline_s=30)) for node in nodes]
        accounts = [open_account(wire, 1000) for wire in wires]
        told: list[str] = []
        for _ in range(5):
            for wire, mine, other in zip(wires, accounts, reversed(accounts), strict=True):
                wire.send(b"".join(b"TR %b %b 1\r\n" % (mine.encode(), other.encode())
                                   for _ in range(5)))  # fmt: skip
            told += [line for wire in wires for line in wire.lines(5)]
        until(
            lambda: not any(node.node._store.open_transfers() for node in nodes),
            "every transfer has come to its end",
            30,
        )
        assert len(told) == 50
        assert any(line.endswith("committed") for line in told)
        assert any(line.startswith("ER ") for line in told), "nothing went wrong at all"
        assert sum(int(wire.ask("BA").removeprefix("BA ")) for wire in wires) == 2000


def test_a_cable_is_pulled_and_plugged_in_while_the_node_runs(tmp_path):
    with ExitStack() as stack:
        payer, payee = open_network(stack, tmp_path, 2, network__timeout=1.0, faults__enabled=True)
        with payer.wire() as wire, payee.wire() as other:
            source, target = open_account(wire, 100), open_account(other)
            until(lambda: wire.ask(f"TR {source} {target} 1").startswith("TR "), "they are met")
            pull(payer, payee.bank)
            assert wire.ask(f"TR {source} {target} 5").startswith("ER ")
            pull(payer)
            until(lambda: wire.ask(f"TR {source} {target} 7").startswith("TR "), "it is back")
            assert wire.ask("BA") == "BA 92"
            until(lambda: other.ask("BA") == "BA 8", "the money has come")


def pull(running: Running, *banks: str) -> None:
    """What an operator's change of `faults.cut` comes to."""
    now = running.node.settings
    running.node._settings_changed(
        structs.replace(now, faults=structs.replace(now.faults, cut=banks))
    )
