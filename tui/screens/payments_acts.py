"""What the bank does on the screen Payments: to a client, to a mandate, about a dispute."""

from abc import abstractmethod

from tui.model.payments import Client, ClientChanged, Clients, Code, Paper, PaperChanged
from tui.screens import payments_forms as forms
from tui.screens.tabbed import Tabbed


class Acts(Tabbed):
    """The actions on what is chosen; a subclass tells what that is."""

    @abstractmethod
    async def chosen_client(self) -> Client | None:
        """The client that an action is for, as the node knows it now; says so if there is none.

        Raises Lost, Rejected, Unreadable.
        """

    @property
    @abstractmethod
    def chosen_paper(self) -> Paper | None:
        """The chosen request, mandate or dispute."""

    @abstractmethod
    def reload(self) -> None:
        """Asks for what is shown again."""

    @abstractmethod
    def choose(self, tab: str, search: str = "") -> None:
        """Puts a tab in front, with what is searched for in it."""

    async def do_flow(self) -> None:
        self.choose("flow")

    async def do_reasons(self) -> None:
        self.choose("reasons")

    async def do_clients(self) -> None:
        self.choose("clients")

    async def do_papers(self) -> None:
        self.choose("papers")

    async def do_disputes(self) -> None:
        self.choose("disputes")

    async def client_called(self, wanted: str) -> Client | None:
        """The client with an account or an address; says so if there is none."""
        line = f"OQ show=clients find={wanted}"
        page = await self.hub.link.main.ask(line, Clients)
        for client in page.rows:
            if wanted in (*client.vpas, str(client.account)):
                return client
        self.warn(f"{wanted} is no client of this bank.")
        return None

    async def do_code(self) -> None:
        from tui.widgets.code import CodeScreen

        client = await self.chosen_client()
        if client is not None:
            code = await self.hub.link.main.ask(forms.client_line("code", client), Code)
            self.app.push_screen(CodeScreen(code, self.console_app.save_folder))

    async def do_freeze(self) -> None:
        client = await self.chosen_client()
        if client is None:
            return
        if client.state == "held":
            self.warn(f"{client.address} is frozen already: u lets it go on.")
        elif await self.app.push_screen_wait(forms.freeze_question(client)):
            await self._change("freeze", client)
            self.done(f"{client.address} is frozen.")

    async def do_release(self) -> None:
        client = await self.chosen_client()
        if client is None:
            return
        if client.state == "active":
            self.warn(f"{client.address} is not frozen.")
        elif await self.app.push_screen_wait(forms.release_question(client)):
            await self._change("release", client)
            self.done(f"{client.address} can pay and be paid again.")

    async def do_reset(self) -> None:
        client = await self.chosen_client()
        if client is None:
            return
        if await self.app.push_screen_wait(forms.reset_question(client)):
            changed = await self._change("reset", client)
            await self.app.push_screen_wait(forms.new_pin(changed))

    async def _change(self, do: str, client: Client) -> ClientChanged:
        line = forms.client_line(do, client)
        changed = await self.hub.link.main.ask(line, ClientChanged)
        self.reload()
        return changed

    async def do_revoke(self) -> None:
        paper = self.chosen_paper
        if paper is None or paper.kind != "mandate":
            self.warn("Only a mandate can be revoked: m shows them.")
            return
        if await self.app.push_screen_wait(forms.revoke_question(paper)):
            ended = await self.hub.link.main.ask(forms.revoke_line(paper), PaperChanged)
            self.done(f"The mandate is {ended.paper.state}.")
            self.reload()

    async def do_charge(self) -> None:
        await self._decide("charge")

    async def do_reject(self) -> None:
        await self._decide("reject")

    async def _decide(self, do: str) -> None:
        paper = self.chosen_paper
        if paper is None or paper.kind != "dispute":
            self.warn("Only a dispute can be decided: d shows them.")
        elif paper.payee_bank:
            self.warn(f"The bank of the payee decides: {paper.payee_bank}.")
        elif await self.app.push_screen_wait(forms.decide_question(do, paper)):
            line = forms.decide_line(do, paper)
            ended = await self.hub.link.main.ask(line, PaperChanged)
            self.done(f"The dispute is {ended.paper.state.replace('_', ' ')}.")
            self.reload()
