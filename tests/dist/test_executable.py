"""The executable alone is a whole bank: it serves, is killed, and has every command with it."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from support.nodes import bank_port, some_host
from support.polling import until
from support.web_site import browsing
from support.loops import in_a_loop
from support.wire import open_account

from bank_node import __version__
from bank_node.cli.web.page import FILES

MEGABYTE = 1_000_000


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_tells_its_version_without_any_environment(bank, tmp_path):
    told = subprocess.run([bank, "--version"], cwd=tmp_path, env={}, capture_output=True, text=True)
    assert (told.stdout, told.stderr) == (f"bank, version {__version__}\n", "")


def test_it_is_small_because_nothing_is_in_it_that_is_never_used(bank):
    assert bank.stat().st_size < 25 * MEGABYTE


def test_it_can_be_asked_while_it_serves_and_leaves_nothing_behind(
    serve, run, tmp_path, unpacked
):
    with serve(tmp_path / "data", some_host()) as bank:
        host, port = bank.address
        at = ("call", "--host", host, "--port", port)
        account = run(*at, "AC").stdout.removeprefix("AC ").strip()
        assert run(*at, f"AD {account} 500").stdout == "AD\n"
        assert run(*at, f"AB {account}").stdout == "AB 500\n"
        refused = run(*at, f"AW {account} 501")
        assert (refused.returncode, refused.stdout[:3]) == (1, "ER ")
        bank.stop()
    assert leftovers(unpacked) == []


def test_what_was_acknowledged_survives_a_kill(serve, run, tmp_path, unpacked):
    data, host = tmp_path / "data", some_host()
    with serve(data, host) as bank, bank.wire() as wire:
        account = open_account(wire)
        assert wire.ask(f"AD {account} 700") == "AD"
        bank.process.kill()
        # The one that was started is not the one that serves, and takes it along.
        wire.rest()
        until(lambda: leftovers(unpacked) == [], "the files of the killed one are gone")
    with serve(data, host) as bank:
        assert bank.ask(f"AB {account}") == "AB 700"
        verified = run("verify", "--data", data)
        assert (verified.returncode, verified.stdout[:15]) == (0, "the ledger fits")
        bank.stop()


def test_proofs_backups_and_exports_are_with_it(serve, run, tmp_path):
    data, proof, copy = tmp_path / "data", tmp_path / "proof.json", tmp_path / "copy.db"
    with serve(data, some_host()) as bank:
        account = bank.ask("AC").removeprefix("AC ")
        bank.ask(f"AD {account} 12")
        assert run("prove", "--data", data, "--entry", 1, "--output", proof).returncode == 0
        assert run("backup", "--data", data, copy).returncode == 0
        exported = run("export", "accounts", "--data", data, "--format", "json")
        bank.stop()
    assert json.loads(exported.stdout)[0]["balance"] == 12
    assert run("verify-proof", proof).returncode == 0
    assert run("restore", "--data", tmp_path / "other", copy).returncode == 0


def test_the_console_in_a_browser_is_with_it(bank, tmp_path, unpacked):
    settings = {"network": {"host": some_host(), "port": 0, "subnets": []}, "operator": {"port": 0}}
    (tmp_path / "config.json").write_text(json.dumps(settings | {"data": str(tmp_path / "data")}))

    @in_a_loop
    async def look(port, key):
        async with browsing(port) as browser:
            await browser.show_key(key)
            for name in FILES:
                assert (await browser.get(f"/static/{name}"))[0] == 200
            async with browser.window() as screen:
                await screen.sees("serving")

    web = subprocess.Popen(
        [bank, "web", "--port", "0"],
        cwd=tmp_path, env={"TMPDIR": str(unpacked)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert web.stdout
        port, _, key = web.stdout.readline().strip().rpartition(":")[2].partition("/?key=")
        look(int(port), key)
        web.send_signal(signal.SIGTERM)
        assert web.wait(60) == 0
    finally:
        if web.poll() is None:
            web.kill()
        web.communicate()
    assert leftovers(unpacked) == []


def test_it_finds_banks_and_plans_with_them(serve, run, tmp_path):
    host = some_host()
    with serve(tmp_path / "data", host, port=bank_port(host)) as bank:
        account = bank.ask("AC").removeprefix("AC ")
        bank.ask(f"AD {account} 1200")
        scanned = run("scan", f"{host}/32", "--json")
        assert [row["amount"] for row in json.loads(scanned.stdout)["banks"]] == [1200]
        # Tables and a progress bar for people, drawn with characters of more than one byte.
        planned = run("plan", 1000, f"{host}/32")
        assert planned.returncode == 0
        assert host in planned.stdout
        bank.stop()


def test_messages_are_told_in_czech_without_a_locale(run):
    refused = run("serve", "--port", "0", "--host", "192.0.2.1", LC_ALL="C", BANK_LANGUAGE="cs")
    assert refused.returncode == 2
    assert "192.0.2.1" in refused.stderr


def test_it_starts_itself_again_for_a_demo(bank, run, tmp_path, unpacked):
    demo = subprocess.Popen(
        [bank, "demo", "--banks", "2", "--quiet", "--port", "0"],
        cwd=tmp_path, env={"TMPDIR": str(unpacked)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert demo.stdout
        told = demo.stdout.readline()
        assert told.startswith("2 banks are open: 127.0.0.1:")
        host, _, port = told.split()[-1].partition(":")
        assert run("call", "--host", host, "--port", port, "BC").stdout == "BC 127.0.0.2\n"
        demo.send_signal(signal.SIGINT)
        assert demo.communicate(timeout=20)[0].endswith("stopping\n")
    finally:
        if demo.poll() is None:
            demo.kill()
            demo.communicate()
    assert demo.returncode == 0
    assert leftovers(unpacked) == []


def test_it_keeps_a_ledger_in_a_database(serve, run, mariadb, tmp_path):
    store = mariadb.url(mariadb.new_database())
    data, host = tmp_path / "data", some_host()
    with serve(data, host, "--store", store) as bank:
        account = bank.ask("AC").removeprefix("AC ")
        assert bank.ask(f"AD {account} 900") == "AD"
        bank.kill()
    with serve(data, host, "--store", store) as bank:
        assert bank.ask(f"AB {account}") == "AB 900"
        bank.stop()
    assert run("verify", "--data", data, "--store", store).returncode == 0


def test_a_failed_start_tells_why_in_one_line(run, tmp_path):
    wrong = tmp_path / "config.json"
    wrong.write_text('{"network": {"prt": 1}}')
    told = run("serve", "--config", wrong)
    assert told.returncode == 2
    assert told.stderr.count("\n") == 1
    assert "network.prt" in told.stderr


def test_an_interrupted_one_stops_in_order(serve, tmp_path):
    with serve(tmp_path / "data", some_host()) as bank:
        os.kill(bank.process.pid, signal.SIGINT)
        assert bank.ended() == (0, "")


def test_alone_in_a_folder_it_is_a_bank_with_its_console(bank, tmp_path, unpacked):
    terminals = pytest.importorskip("support.terminal", reason="there are no pseudo terminals here")
    network = {"host": some_host(), "port": 0, "subnets": []}
    settings = {"network": network, "operator": {"port": 0}, "data": str(tmp_path / "data")}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    terminal = terminals.Terminal([str(bank)], cwd=tmp_path, env={"TMPDIR": str(unpacked)})
    # One screen after the other: each is loaded, with its styles, when it is first shown.
    terminal.sees("serving")
    terminal.sees("There is no account yet", pressing="2")
    terminal.sees("Settings of the node", pressing="8")
    terminal.types("4")
    terminal.sees("Frontier")
    # A letter would be taken by the field for the sum: ctrl+q.
    terminal.types("\x11")
    assert terminal.exit_code() == 0
    assert leftovers(unpacked) == []
