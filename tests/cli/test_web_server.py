"""The web server before the console: who is let in, and that every window is bounded and ends."""

import asyncio
import os
import re
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import aiohttp
import pytest
from support.loops import in_a_loop
from support.processes import is_alive
from support.web_site import HOST, opened

from bank_node.cli.web import server, window
from bank_node.cli.web.command import _to_open
from bank_node.cli.web.gate import Gate, Site, is_this_machine, public_site
from bank_node.cli.web.page import FILES
from bank_node.errors import StartupError

KEY, COOKIE = "secret-1", "secret-2"
PATHS = ("/", "/page.js", "/ws", "/download/x", *(f"/static/{name}" for name in FILES), "/none")
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@in_a_loop
async def test_without_the_key_every_path_is_forbidden():
    async with opened(shows_key=False) as browser:
        for path in PATHS:
            for headers in ({}, UPGRADE | {"Origin": browser.origin}):
                status, _, text = await browser.get(path, **headers)
                assert (path, status) == (path, 403)
                assert COOKIE not in text


@in_a_loop
async def test_a_wrong_key_and_a_wrong_cookie_open_nothing():
    async with opened(shows_key=False) as browser:
        for key in ("", "secret", KEY + "x", COOKIE, "%00", "%ff"):
            status, headers, _ = await browser.get(f"/?key={key}")
            assert (status, "Set-Cookie" in headers) == (403, False)
        for value in ("", "x", KEY, '"'):
            browser.cookies = {f"bank-web-{browser.port}": value}
            for path in PATHS:
                assert (await browser.get(path))[0] == 403
        # The key opens the first page only, so that it is in no other address.
        assert (await browser.get(f"/page.js?key={KEY}"))[0] == 403


@in_a_loop
async def test_the_key_is_taken_for_a_cookie_and_leaves_the_address():
    async with opened() as browser:
        headers = await browser.show_key(KEY)
        assert headers["Location"] == "/"
        for part in ("HttpOnly", "SameSite=Strict", "Path=/"):
            assert part in headers["Set-Cookie"]
        assert KEY not in headers["Set-Cookie"]
        for path in ("/", "/page.js", *(f"/static/{name}" for name in FILES)):
            assert (await browser.get(path))[0] == 200
        assert (await browser.get("/?ping=http://other.host/"))[1]["Location"] == "/"


@in_a_loop
async def test_only_what_the_page_needs_is_served_of_the_library():
    async with opened() as browser:
        for path in (
            "/static/",
            "/static/js/",
            "/static/images/background.png",
            "/static/../server.py",
            "/static/js/..%2f..%2fserver.py",
            "/download/x",
        ):
            assert (path, (await browser.get(path))[0]) == (path, 404)


@in_a_loop
async def test_the_page_loads_nothing_from_anywhere_else():
    async with opened() as browser:
        _, headers, text = await browser.get("/")
        assert re.findall(r"\w+://[^\"' ]*", text) == [f"ws://{HOST}:{browser.port}/ws"]
        rules = headers["Content-Security-Policy"]
        assert rules.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in rules
        assert not re.findall(r"https?:", rules)
        assert headers["X-Frame-Options"] == "DENY"
        # What the page names is what there is.
        for path in re.findall(r'(?:src="|href="|url\(")(/[^"]*)"', text):
            assert (path, (await browser.get(path))[0]) == (path, 200)


@in_a_loop
async def test_a_stranger_whose_name_leads_here_is_refused():
    async with opened() as browser:
        port = browser.port
        for host in (
            f"evil.example:{port}",
            HOST,
            f"{HOST}:1",
            f"127.0.0.2:{port}",
            "",
            "localhost",
        ):
            for path in ("/", f"/?key={KEY}", "/page.js"):
                assert (host, (await browser.get(path, Host=host))[0]) == (host, 403)
        assert (await browser.get("/", Host=f"LocalHost:{port}"))[0] == 200


@in_a_loop
async def test_a_websocket_opens_for_a_page_from_here_only():
    async with opened() as browser:
        assert (await browser.get("/ws", **UPGRADE))[0] == 403
        for origin in (
            "null",
            "",
            "http://evil.example",
            f"http://{HOST}",
            f"http://{HOST}:1",
            f"https://{HOST}:{browser.port}",
            f"http://localhost:{browser.port}",
        ):
            status, _, _ = await browser.get("/ws", Origin=origin, **UPGRADE)
            assert (origin, status) == (origin, 403)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with browser.window(Cookie="x=y"):
                pass


@in_a_loop
async def test_a_window_has_a_console_of_its_own_that_ends_with_it():
    async with (
        opened() as browser,
        browser.window("?width=132&height=40") as one,
        browser.window() as other,
    ):
        first = int((await one.sees(r"console (\d+) of 132x40"))[1])
        second = int((await other.sees(r"console (\d+) of 80x24"))[1])
        await one.types("äb\x1b[A")
        await one.sees("typed äb")
        await one.send("resize", {"width": 90, "height": 10**9})
        await one.sees("now 90x500")
        await one.send("focus")
        await one.sees("focus")
        await one.send("ping", "12")
        assert await one.hears("pong") == "12"
        await one.socket.close()
        while is_alive(first):
            await other.types("?")
            await other.sees("typed")
        assert is_alive(second)
    assert not is_alive(second)


@in_a_loop
async def test_what_makes_no_sense_is_dropped_and_what_is_too_long_ends_the_window():
    async with opened() as browser, browser.window() as screen:
        for text in ("", "x", "7", "[]", "{}", '["stdin"]', '["stdin", 5]', '["quit"]', "[" * 9_999,
                     '["resize", {"width": "x", "height": 1}]', '["resize", {}]'):  # fmt: skip
            await screen.socket.send_str(text)
        await screen.socket.send_bytes(b"\x00" * 99)
        await screen.send("stdin", "\ud800")
        await screen.sees(r"typed \?")
        assert "typed" not in screen.drawn
        await screen.types("x" * server._MESSAGE_BYTES_MAX)
        assert await screen.end() == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


@in_a_loop
async def test_a_console_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(window, "_STOP_S", 0.1)
    async with opened("stuck") as browser, browser.window() as screen:
        pid = int((await screen.sees(r"console (\d+)"))[1])
    assert not is_alive(pid)


@in_a_loop
async def test_a_console_that_takes_nothing_is_killed(monkeypatch):
    monkeypatch.setattr(window, "_STOP_S", 0.1)
    monkeypatch.setattr(window, "_PATIENCE_S", 0.1)
    async with opened("deaf") as browser, browser.window() as screen:
        pid = int((await screen.sees(r"console (\d+)"))[1])
        for _ in range(100):
            await screen.types("x" * 60_000)
        await screen.end()
    assert not is_alive(pid)


@asynccontextmanager
async def window_that_takes_nothing(browser):
    """A browser that opens a window whose console draws much, and reads its first lines only."""
    reader, writer = await asyncio.open_connection(HOST, browser.port, limit=1_024)
    cookies = "; ".join(map("=".join, browser.cookies.items()))
    own = {"Host": f"{HOST}:{browser.port}", "Origin": browser.origin, "Cookie": cookies}
    lines = [f"{name}: {value}\r\n" for name, value in (UPGRADE | own).items()]
    writer.write(f"GET /ws HTTP/1.1\r\n{''.join(lines)}\r\n".encode())
    assert b" 101 " in await reader.readline()
    while not (found := re.search(rb"console (\d+)", await reader.readline())):
        assert not reader.at_eof()
    yield int(found[1])
    writer.transport.abort()


@in_a_loop
async def test_a_browser_that_takes_nothing_loses_its_window(monkeypatch):
    monkeypatch.setattr(server, "_HEARTBEAT_S", 1.0)
    async with opened("flooding") as browser, window_that_takes_nothing(browser) as console:
        while is_alive(console):
            await browser.get("/page.js")


@in_a_loop
async def test_a_browser_that_takes_nothing_does_not_keep_a_server_from_stopping(monkeypatch):
    monkeypatch.setattr(server, "_SOCKET_CLOSE_S", 0.1)
    async with AsyncExitStack() as stack:
        async with opened("flooding") as browser:
            console = await stack.enter_async_context(window_that_takes_nothing(browser))
            (waiting,) = browser.server._windows.values()
            sizes = [0]
            # Until nothing more fits into what is between the two.
            while sizes[-1] == 0 or len(sizes) < 5:
                await browser.get("/page.js")
                size = waiting.get_write_buffer_size()
                sizes = [*sizes, size] if size == sizes[-1] else [size]
        assert not is_alive(console)


@in_a_loop
async def test_a_server_that_stops_ends_its_windows():
    async with opened() as browser, browser.window() as screen:
        pid = int((await screen.sees(r"console (\d+)"))[1])
        listening = asyncio.create_task(screen.end())
        await asyncio.wait({listening}, timeout=0)
        # The server stops at the end of this block, while the window is open.
    assert not is_alive(pid)


@pytest.mark.parametrize(
    ("manner", "said"),
    [("broken", "bank: there is no bank"), ("crashing", "The console has ended unexpectedly.")],
)
def test_a_console_that_cannot_go_on_says_so_and_never_shows_a_traceback(manner, said):
    @in_a_loop
    async def look():
        async with opened(manner) as browser, browser.window() as screen:
            await screen.sees(re.escape(said))
            await screen.end()
            assert "secret" not in screen.drawn

    look()


@in_a_loop
async def test_a_console_that_is_killed_closes_its_window():
    async with opened() as browser, browser.window() as screen:
        pid = int((await screen.sees(r"console (\d+)"))[1])
        os.kill(pid, 9)
        await screen.end()


@in_a_loop
async def test_there_are_no_more_windows_than_allowed():
    async with opened(windows_max=1) as browser:
        async with browser.window() as one:
            await one.sees("console")
            async with browser.window() as other:
                await other.sees("No more than 1 console may be open")
                assert await other.end() == aiohttp.WSCloseCode.TRY_AGAIN_LATER
        while True:
            async with browser.window() as again:
                if "console" in (await again.sees(r"console \d+|No more than"))[0]:
                    break


@in_a_loop
async def test_a_connection_that_shows_no_key_is_not_kept(monkeypatch):
    monkeypatch.setattr(server, "_STRANGER_S", 0.05)
    async with opened() as browser, browser.window() as screen:
        await screen.sees("console")
        reader, writer = await asyncio.open_connection(HOST, browser.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: ")
        assert await reader.read() == b""
        writer.close()
        await screen.types("still here")
        await screen.sees("typed still here")


@in_a_loop
async def test_there_are_no_more_connections_than_allowed(monkeypatch):
    async with opened(shows_key=False) as browser:
        monkeypatch.setattr(server, "_CONNECTIONS_MAX", 0)
        reader, writer = await asyncio.open_connection(HOST, browser.port)
        assert await reader.read() == b""
        writer.close()


@in_a_loop
async def test_with_a_certificate_all_of_it_is_encrypted(tmp_path):
    cert, key = certificate(tmp_path)
    async with opened(tls=server.certificate(cert, key), shows_key=False) as browser:
        headers = await browser.show_key(KEY)
        assert "Secure" in headers["Set-Cookie"]
        assert f"wss://{HOST}:{browser.port}/ws" in (await browser.get("/"))[2]
        async with browser.window() as screen:
            await screen.sees("console")


def test_a_certificate_that_is_none_is_told(tmp_path):
    file = tmp_path / "file"
    file.write_text("nothing")
    for cert in (file, tmp_path / "missing"):
        with pytest.raises(StartupError, match="no certificate and its key"):
            server.certificate(str(cert), str(file))


def certificate(folder):
    """A certificate that nobody has signed, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bank")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    paths = [folder / "cert.pem", folder / "key.pem"]
    for path, text in zip(paths, (made.public_bytes(pem), private), strict=True):
        path.write_bytes(text)
    assert isinstance(ssl.create_default_context(cafile=str(paths[0])), ssl.SSLContext)
    return map(str, paths)


# The gate alone


def gate(**options):
    return Gate(draw=iter(("the-key", "the-cookie")).__next__, **options)


@pytest.mark.parametrize(
    ("hosts", "arrived", "scheme"),
    [
        (["127.0.0.1:8000"], ("127.0.0.1", 8000), "http"),
        (["localhost:8000"], ("127.0.0.1", 8000), "http"),
        (["[::1]:8000"], ("::1", 8000), "http"),
        (["10.1.2.3:8000"], ("10.1.2.3", 8000), "http"),
        (["127.0.0.1"], ("127.0.0.1", 80), "http"),
        (["bank.example"], ("127.0.0.1", 8000), "https"),
        (["BANK.example"], ("127.0.0.1", 8000), "https"),
    ],
)
def test_a_server_goes_by_its_address_and_its_public_name(hosts, arrived, scheme):
    found = gate(public=public_site("https://Bank.Example/")).site(hosts, arrived)
    assert found == Site(scheme, hosts[0].lower())


@pytest.mark.parametrize(
    ("hosts", "arrived"),
    [
        ([], ("127.0.0.1", 8000)),
        (["127.0.0.1:8000"] * 2, ("127.0.0.1", 8000)),
        (["localhost:8000"], ("10.1.2.3", 8000)),
        (["10.1.2.3:8000"], ("10.1.2.4", 8000)),
        (["bank.example:8000"], ("127.0.0.1", 8000)),
        (["bank.example."], ("127.0.0.1", 8000)),
        (["127.0.0.1:8000, evil.example"], ("127.0.0.1", 8000)),
    ],
)
def test_a_server_goes_by_no_other_name(hosts, arrived):
    assert gate(public=public_site("https://bank.example")).site(hosts, arrived) is None


@pytest.mark.parametrize("url", ["bank.example", "ftp://x", "http://", "http://x/path", "http://x:y",
                                 "https://x:99999", "http://[::1"])  # fmt: skip
def test_a_public_url_that_leads_nowhere_is_told(url):
    with pytest.raises(StartupError, match="is not written"):
        public_site(url)


def test_a_server_on_all_addresses_tells_one_that_can_be_opened():
    for host, told in (("127.0.0.9", "127.0.0.9"), ("::1", "::1"), ("::", "::1")):
        assert _to_open(host) == told
    assert re.fullmatch(r"(?!0\.)[0-9]+(\.[0-9]+){3}", _to_open("0.0.0.0"))


def test_only_loopback_is_this_machine():
    assert [is_this_machine(each) for each in ("127.0.0.1", "127.9.9.9", "::1")] == [True] * 3
    assert [is_this_machine(each) for each in ("0.0.0.0", "::", "10.1.2.3")] == [False] * 3
    with pytest.raises(StartupError, match="is not an IP address"):
        is_this_machine("localhost")
