"""`bank web` as its user types it: a URL, the console in a browser, and an end in order."""

import asyncio
import json
import os
import re
import select
import signal
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.loops import in_a_loop
from support.nodes import some_host
from support.polling import until
from support.processes import Served, environment, is_alive
from support.spawning import PROGRAM, spawn
from support.web_site import browsing

_DEADLINE_S = 120


@contextmanager
def web(folder, *options, **variables):
    """A `bank web` process that has printed its URL; its port and its key."""
    process = spawn(
        [*PROGRAM, "web", "--port", "0", *map(str, options)],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert select.select([process.stdout], [], [], _DEADLINE_S)[0], "no URL"
        line = process.stdout.readline()
        found = re.fullmatch(r"open http://127\.0\.0\.1:(\d+)/\?key=([\w-]{43})\n", line)
        assert found, line or process.communicate()
        yield process, int(found[1]), found[2]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def children(pid):
    """The processes that a process has started and that run."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in found for child in file.read_text().split()]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A bank that all tests of this module may look at."""
    with Served(tmp_path_factory.mktemp("served"), some_host()) as bank:
        yield bank


def test_a_bank_is_started_shown_directed_and_stopped(tmp_path):
    settings = {"network": {"host": some_host(), "port": 0, "subnets": []}, "data": "data"}
    (tmp_path / "config.json").write_text(json.dumps(settings))

    @in_a_loop
    async def look(process, port, key):
        async with browsing(port) as browser:
            await browser.show_key(key)
            async with browser.window("?width=100&height=30") as screen:
                await screen.sees("serving")
                await screen.types("2")
                await screen.sees("There is no account yet")
                await screen.types("o")
                await screen.sees("Open an account")
                await screen.types("y")
                await screen.sees("is open")
                # A table that is saved comes to the browser, not to a folder of the server.
                await screen.types("w")
                path = f"/download/{await screen.hears('deliver_file_start')}"
                status, headers, text = await browser.get(path)
                assert (status, text.partition(",")[0]) == (200, "Account")
                assert 'attachment; filename="accounts-' in headers["Content-Disposition"]
                browser.cookies = {}
                assert (await browser.get(path))[0] == 403
                started = children(process.pid)
                assert len(started) == 2
                shows_no_secret(process.pid, *started)
                # What is no request is not written down, whatever is in it.
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(f"GET /?key={key} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".encode())
                assert b" 400 " in await reader.readline()
                writer.close()
                process.send_signal(signal.SIGTERM)
                await screen.end()
        return started

    def shows_no_secret(*pids):
        token = (tmp_path / "data" / "operator.token").read_text().strip()
        for pid in pids:
            for name in ("cmdline", "environ"):
                assert token.encode() not in Path(f"/proc/{pid}/{name}").read_bytes()

    with web(tmp_path, BANK_OPERATOR_PORT="0") as (process, port, key):
        look(process, port, key)
        assert process.communicate(timeout=_DEADLINE_S) == ("", "")
        assert process.returncode == 0
    assert not list(tmp_path.rglob("*.csv"))
    assert processes_in(tmp_path) == []


def processes_in(folder):
    """Processes that work in a folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/cwd") == str(folder):
                found.append(pid)
        except OSError:
            continue
    return found


def test_who_may_only_look_cannot_change_that_and_a_killed_server_leaves_no_console(
    served, tmp_path
):
    @in_a_loop
    async def look(process, port, key):
        async with browsing(port) as browser:
            await browser.show_key(key)
            async with browser.window("?width=100&height=30") as screen:
                await screen.sees("read-only")
                await screen.types("\x12")
                await screen.sees("only looks")
                consoles = children(process.pid)
                process.kill()
                until(lambda: not any(map(is_alive, consoles)), "the console has ended", 120)

    with web(tmp_path, "--data", served.data, "--read-only") as (process, port, key):
        look(process, port, key)
    assert served.ask("BN") == "BN 0"


def test_a_bank_that_is_lost_ends_the_server_that_has_started_it(tmp_path):
    settings = {"network": {"host": some_host(), "port": 0, "subnets": []}, "data": "data"}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    with web(tmp_path, BANK_OPERATOR_PORT="0") as (process, _port, _key):
        (bank,) = children(process.pid)
        os.kill(bank, signal.SIGKILL)
        assert process.communicate(timeout=_DEADLINE_S) == ("", "bank: the bank has ended\n")
        assert process.returncode == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "can be reached from other machines, and what goes there is not"),
        (["--host", "bank.example"], "is not an IP address"),
        (["--tls-cert", "cert.pem"], "--tls-cert and --tls-key belong together"),
        (["--tls-cert", "a", "--tls-key", "b"], "a and b are no certificate and its key"),
        (["--public-url", "bank.example"], "is not written http://NAME:PORT"),
        (["--token-file", "nowhere"], "there is no token in nowhere"),
        (["--connect", "127.0.0.1:1"], "127.0.0.1:1"),
        (["--config", "nowhere"], "nowhere"),
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_told_in_one_line(bank, served, options, said):
    ended = bank("web", "--data", served.data, "--port", "0", *options)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("bank: ")
    assert ended.stderr.count("\n") == 1
    assert said in ended.stderr


def test_a_port_in_use_is_told_before_a_bank_is_started(bank, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = bank("web", "--data", tmp_path / "data", "--port", port)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert re.fullmatch(rf"bank: 127\.0\.0\.1:{port}: .*in use; --port .*\n", ended.stderr)
    assert not (tmp_path / "data" / "bank.db").exists()


def test_a_bank_that_cannot_start_is_told(bank, tmp_path):
    settings = {"network": {"host": "192.0.2.1"}, "data": str(tmp_path / "data")}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    ended = bank("web", "--config", tmp_path / "config.json", "--port", "0")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "192.0.2.1" in ended.stderr
    assert ended.stderr.count("\n") == 1
