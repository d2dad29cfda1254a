"""What the bank does on the screen Transfers: with money, a doubt, another bank, its key."""

from abc import abstractmethod

from tui.link import accepted
from tui.model.board import Board
from tui.model.money import Decided, Keys, Positions
from tui.model.replies import AccountDetail
from tui.model.ways import Going
from tui.screens import transfers_forms as forms
from tui.screens import transfers_tables as tables
from tui.screens.tabbed import Tabbed


class Acts(Tabbed):
    """The actions on what is chosen; a subclass tells what that is, and shows what came of it."""

    def __init__(self) -> None:
        super().__init__()
        self.board = Board()

    @property
    @abstractmethod
    def chosen(self) -> Going | None:
        """The chosen transfer."""

    @abstractmethod
    def load(self) -> object:
        """Asks for what is shown again."""

    @abstractmethod
    def forget_asked(self) -> None:
        """The way of the chosen transfer is no more what it was when the node was asked for it."""

    @abstractmethod
    def show_reminders(self) -> None:
        """Shows how far it is with asking a bank about all that it was paid."""

    async def do_begin(self) -> None:
        bank = self.hub.status.code
        values = await self.app.push_screen_wait(forms.new_transfer(bank))
        if values is None:
            return
        main = self.hub.link.main
        payer = await main.ask(f"OD account={values['payer']} count=1", AccountDetail)
        if not payer.open:
            self.warn(f"There is no account {values['payer']}.")
            return
        if await self.app.push_screen_wait(forms.transfer_question(bank, payer, values)):
            self.choose("flight")
            reply = accepted(await main.say(forms.transfer_line(bank, values)))
            self.done(f"{reply.removeprefix('TR ')}; it is on disk.")
            self.load()

    async def do_decide(self) -> None:
        going = self.chosen
        if going is None or not going.row.in_doubt:
            self.warn("Only a transfer that is in doubt can be decided by hand: u shows them.")
            return
        row = going.row
        values = await self.app.push_screen_wait(forms.decision(row))
        if values is None:
            return
        if await self.app.push_screen_wait(forms.decision_question(row, values)):
            made = await self.hub.link.main.ask(forms.decide_line(row, values), Decided)
            self.done(f"{row.transfer} is {made.transfer.state}, decided by hand.")
            self.forget_asked()
            self.load()
            self.hub.wake("pulse")

    async def do_remind(self) -> None:
        main, board = self.hub.link.main, self.board
        board.reminders = (await main.ask("OU count=1", Positions)).reminders
        self.show_reminders()
        if board.reminders.running:
            if await self.app.push_screen_wait(forms.remind_stop_question(board.reminders)):
                await main.ask(forms.REMIND_STOP, Positions)
                self.load()
            return
        bank = self._bank
        if not bank:
            self.warn("No other bank is chosen: o shows what each of them owes and is owed.")
            return
        if await self.app.push_screen_wait(forms.remind_question(bank)):
            told = await main.ask(forms.remind_line(bank), Positions)
            board.reminders = told.reminders
            self.show_reminders()
            self.load()

    @property
    def _bank(self) -> str:
        """The other bank of what is chosen, or nothing."""
        going = self.chosen if self.tab in tables.TRANSFERS else None
        if going is not None:
            return going.row.bank or ""
        return str(self.grid.key or "") if self.tab not in tables.TRANSFERS else ""

    async def do_accept(self) -> None:
        key = self.board.key(self.grid.key) if self.tab == "keys" else None
        if key is None or not key.offered:
            self.warn("Only a changed key can be accepted: K shows the keys.")
            return
        if await self.app.push_screen_wait(forms.accept_question(key)):
            self.board.keys = await self.hub.link.main.ask(forms.accept_line(key), Keys)
            self.done(f"The new key of {key.bank} counts from now on.")
            self.load()
            self.hub.wake("pulse")

    async def do_forget(self) -> None:
        key = self.board.key(self.grid.key) if self.tab == "keys" else None
        if key is None:
            self.warn("No key is chosen: K shows the keys.")
            return
        if await self.app.push_screen_wait(forms.forget_question(key)):
            self.board.keys = await self.hub.link.main.ask(f"OY forget={key.bank}", Keys)
            self.done(f"The key of {key.bank} is forgotten.")
            self.load()
