"""The first start: an address is chosen, checked, and written."""

from support.console_pilot import text_of
from support.loops import in_a_loop

from tui.first_start import FirstStart
from tui.model.interfaces import Interface

FACES = [
    Interface("eth0", "10.1.2.3", "10.1.2.0/24"),
    Interface("wlan0", "192.168.7.20", "192.168.7.0/24"),
]


@in_a_loop
async def test_a_chosen_interface_becomes_the_settings():
    written = []
    app = FirstStart(FACES, written.append)
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.press("down", "enter", "enter")
        await pilot.pause()
    assert written == [
        {"network": {"host": "192.168.7.20", "port": 65525, "subnets": ["192.168.7.0/24"]}}
    ]
    assert app.return_value is True


@in_a_loop
async def test_a_wrong_address_is_said_and_not_written():
    written = []
    app = FirstStart(FACES, written.append)
    async with app.run_test(size=(80, 30)) as pilot:
        app.query_one("#address").value = "10.1.2.999"
        await pilot.pause()
        assert "four numbers with dots" in text_of(app)
        assert app.query_one("#accept").disabled
        await pilot.press("escape")
    assert written == []
    assert app.return_value is False


@in_a_loop
async def test_a_port_that_another_program_uses_is_said_before_anything_is_written():
    app = FirstStart(FACES, lambda _: None, lambda address, port: f"{address}:{port} is taken")
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.pause()
        assert "10.1.2.3:65525 is taken" in text_of(app)
        assert app.query_one("#accept").disabled


@in_a_loop
async def test_a_file_that_cannot_be_written_is_said():
    def full(config):
        raise OSError("No space left on device")

    app = FirstStart([], full)
    async with app.run_test(size=(80, 30), notifications=True) as pilot:
        app.query_one("#address").value = "127.0.0.1"
        await pilot.pause()
        app.query_one("#accept").press()
        await pilot.pause()
        await pilot.pause()
        assert "No space left" in text_of(app)
        assert app.is_running
