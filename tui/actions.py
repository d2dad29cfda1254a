"""The registry of actions: keys, palette, footer, help and the user's keymap all come from here.

An action is a row; the screen that it belongs to has a method `do_<name>` for it. Pure data.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from textual.binding import Binding

ANYWHERE = "app"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that the operator can do."""

    id: str
    """`<screen>.<name>`; `app.<name>` works everywhere."""
    keys: str
    """The default keys, with commas between them."""
    title: str
    """Two words for the footer and the palette."""
    help: str
    """One sentence."""
    shown: bool = False
    """Whether the footer has it; at 80 columns there is room for about six."""
    writes: bool = False
    """Whether it changes something, so that a read-only console does not do it."""
    line: str = ""
    """The protocol line that does it."""

    @property
    def screen(self) -> str:
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        return self.id.partition(".")[2]


SCREENS = {
    "overview": "Overview",
    "accounts": "Accounts",
    "network": "Network",
    "robbery": "Robbery",
    "journal": "Journal",
    "console": "Console",
    "log": "Log",
    "settings": "Settings",
    "transfers": "Transfers",
    "payments": "Payments",
}
"""The screens in the order of their digits; 0 is the tenth."""

SHORT = {"accounts": "Accts", "network": "Net", "robbery": "Rob", "settings": "Set",
         "transfers": "Transf", "payments": "Pay"}  # fmt: skip
"""Names for terminals of 80 columns, where there is no room for all of the long ones."""


def _row(id: str, keys: str, title: str, help: str, *marks: str, line: str = "") -> Action:
    return Action(id, keys, title, help, "shown" in marks, "writes" in marks, line)


_ROWS = (
    _row("app.help", "question_mark,f1", "Help", "What the focused pane shows, and its keys.",
         "shown"),
    *(
        _row(f"app.go_{screen}", str(digit % 10), title, f"Show the screen {title}.")
        for digit, (screen, title) in enumerate(SCREENS.items(), 1)
    ),
    _row("app.next_screen", "ctrl+pagedown", "Next screen", "Show the next screen."),
    _row("app.previous_screen", "ctrl+pageup", "Previous screen", "Show the previous screen."),
    _row("app.palette", "ctrl+p", "Commands", "Find any action by typing a part of its name.",
         "shown"),
    _row("app.jump", "ctrl+o,grave_accent", "Jump",
         "Lay a letter on everything that can have the focus; type it to go there.", "shown"),
    _row("app.trace", "f12", "Protocol",
         "Show the protocol lines that this console sends, and the replies.", "shown"),
    _row("app.pause", "p", "Pause", "Hold all live figures, or let them run again."),
    _row("app.copy", "y", "Copy", "Copy the focused table to the clipboard (OSC 52)."),
    _row("app.save", "w", "Save", "Write the focused table to a CSV file."),
    _row("app.theme", "ctrl+t", "Theme", "Change to the next theme."),
    _row("app.read_only", "ctrl+r", "Read-only",
         "Forbid, or allow again, every action that changes something."),
    _row("app.quit", "q,ctrl+q", "Quit", "Leave the console."),

    _row("overview.drain", "d", "Drain", "Refuse new clients and writes until resumed.",
         "shown", "writes", line="OX do=drain"),
    _row("overview.resume", "r", "Resume", "Take clients and writes again.", "writes",
         line="OX do=resume"),
    _row("overview.stop", "X", "Stop node", "Stop the node in order, as SIGTERM does.", "writes",
         line="OX do=stop"),

    _row("overview.promote", "P", "Promote", "Make this node, which follows, the leader of its "
         "bank.", "writes", line="OR promote=1"),
    _row("overview.look", "g", "Look into", "Go to where the first warning can be looked into."),

    _row("accounts.open", "o", "Open", "Open an account with balance 0.", "shown", "writes",
         line="AC"),
    _row("accounts.deposit", "d", "Deposit", "Deposit to the chosen account.", "shown", "writes",
         line="AD <account>/<ip> <number>"),
    _row("accounts.withdraw", "a", "Withdraw", "Withdraw from the chosen account.", "shown",
         "writes", line="AW <account>/<ip> <number>"),
    _row("accounts.remove", "x,delete", "Remove", "Remove the chosen account, if it is empty.",
         "shown", "writes", line="AR <account>/<ip>"),
    _row("accounts.filter", "slash,f", "Filter",
         "Show only some accounts: digits of a number, or >1000, <5, =0, 10..20 on the balance.",
         "shown"),
    _row("accounts.sort", "s", "Sort", "Sort by the next column.", line="OC sort=balance"),
    _row("accounts.reverse", "S", "Reverse", "Turn the order round.", line="OC sort=-balance"),
    _row("accounts.reload", "r", "Reload", "Ask the node for the accounts again.", line="OC"),

    _row("network.scan", "n", "Scan", "Search the subnets for banks, or stop searching.",
         "shown", "writes", line="ON start=1"),
    _row("network.add", "a", "Add peer", "Add a bank that is always asked.", "shown", "writes",
         line="OI add=ADDR:PORT"),
    _row("network.remove", "x,delete", "Remove", "Forget the chosen bank.", "writes",
         line="OI remove=ADDR"),
    _row("network.ask", "v", "Ask", "Ask the chosen bank BC, BA and BN now.", "shown",
         line="OI ask=ADDR"),
    _row("network.ping", "i", "Ping", "Send BC to the chosen bank and time it.",
         line="OK to=ADDR line=BC"),
    _row("network.command", "c,enter", "Command", "Try one command at the chosen bank.", "shown",
         "writes", line="OK to=ADDR line=..."),
    _row("network.filter", "slash,f", "Filter", "Show only banks with this text."),
    _row("network.sort", "s", "Sort", "Sort by the next column."),

    _row("robbery.target", "slash,e", "Amount", "Type the amount to rob.", "shown"),
    _row("robbery.objective", "o", "Objective",
         "Change between the fewest clients and the closest amount.", "shown",
         line="OB objective=closest"),
    _row("robbery.plan", "r", "Plan", "Make the plan again.", "shown",
         line="OB number=N frontier=1"),

    _row("journal.search", "slash,f", "Search",
         "Show the entries of one account, all of its time or a part.", "shown",
         line="OJ account=N since_us= until_us="),
    _row("journal.blocks", "b,escape", "Blocks", "Show the newest blocks.", line="OJ"),
    _row("journal.reload", "r", "Newest", "Show the newest block.", line="OJ"),
    _row("journal.verify", "v", "Verify", "Replay the whole ledger, or stop it.", "shown",
         line="OV start=1"),
    _row("journal.export", "e", "Export", "Write the journal or the accounts to a file.",
         "shown", "writes", line="OZ format=csv what=journal"),

    _row("console.target", "ctrl+b", "Bank", "Choose the bank that is spoken to.", "shown"),
    _row("console.leave", "escape", "Leave line", "Take the focus off the line, so that digits "
         "change the screen."),
    _row("console.clear", "ctrl+l", "Clear", "Empty the screen of replies.", "shown"),
    _row("console.type", "slash,enter", "Type", "Go to the line."),

    _row("log.source", "s", "Source", "Change between log, traffic and events.", "shown",
         line="OL | OT | OE"),
    _row("log.filter", "slash,f", "Filter", "Show only lines with this text.", "shown"),
    _row("log.level", "l", "Level", "Show only lines of this level and above.", "shown"),
    _row("log.hold", "space", "Hold", "Stop the tail, or follow it again.", "shown"),
    _row("log.jump", "enter,g", "Go there", "Go to the account or the bank of the line."),

    _row("settings.change", "e,enter", "Change", "Change a setting that can change live, "
         "or the keys of an action.", "shown", line="OH key=language value=cs"),
    _row("settings.save", "S", "Keep", "Change a setting and write it to the settings file.",
         "writes", line="OH key=language value=cs save=1"),
    _row("settings.reset", "backspace", "Default keys", "Give an action its default keys."),
    _row("settings.filter", "slash,f", "Filter", "Show only settings with this text.", "shown"),

    _row("transfers.begin", "t", "Transfer", "Move money from an account of this bank to another "
         "account, here or elsewhere.", "shown", "writes",
         line="TR <account>/<ip> <account>/<ip> <number> [id]"),
    _row("transfers.decide", "e", "Decide", "Decide the chosen transfer, which is in doubt, "
         "by hand.", "shown", "writes", line="OW transfer=ID do=abort note=..."),
    _row("transfers.remind", "m", "Remind", "Ask the bank of the chosen row about all that it was "
         "paid, so that it takes again what it has lost; or stop asking.", "writes",
         line="OU remind=ADDR"),
    _row("transfers.accept", "a", "Accept key", "Let the changed key of the chosen bank count.",
         "writes", line="OY accept=ADDR key=..."),
    _row("transfers.forget", "x,delete", "Forget key", "Take the next key of the chosen bank as "
         "its first.", "writes", line="OY forget=ADDR"),
    _row("transfers.next_tab", "right", "Next tab", "Show the next tab.", "shown"),
    _row("transfers.previous_tab", "left", "Previous tab", "Show the tab before."),
    _row("transfers.flight", "i", "In flight", "Show the transfers under way, as they go.",
         line="OO wait=15"),
    _row("transfers.doubt", "u", "In doubt", "Show the transfers of unknown outcome.",
         line="OF show=doubt"),
    _row("transfers.done", "d", "Done", "Show the transfers that have ended.",
         line="OF show=done"),
    _row("transfers.positions", "o", "Positions", "Show what this bank and others owe each other.",
         line="OU"),
    _row("transfers.keys", "K", "Keys", "Show the pinned keys of other banks.", line="OY"),
    _row("transfers.filter", "slash,f", "Filter", "Show only rows with this text.", "shown"),
    _row("transfers.reload", "r", "Reload", "Ask the node again."),
    _row("transfers.export", "E", "Export", "Write the journal, or what concerns one account, "
         "to a file.", "shown", "writes", line="OZ format=csv what=journal account=N"),

    _row("payments.search", "slash,f", "Search", "Find payments by address, retrieval number, "
         "reference or id; clients by name, number or address.", "shown",
         line="OQ show=find find=..."),
    _row("payments.code", "v", "QR code", "Show the code to scan of the chosen client, as large "
         "as the terminal.", "shown", line="OQ do=code account=N"),
    _row("payments.freeze", "z", "Freeze", "Stop all payments of the chosen client, or of the "
         "payer of the chosen payment.", "shown", "writes", line="OQ do=freeze account=N"),
    _row("payments.release", "u", "Unfreeze", "Let the payments of the chosen client go on.",
         "writes", line="OQ do=release account=N"),
    _row("payments.reset", "n", "New PIN", "Give the chosen client a new PIN and forget the wrong "
         "ones.", "writes", line="OQ do=reset account=N"),
    _row("payments.revoke", "x,delete", "Revoke", "End the chosen mandate.", "writes",
         line="OQ do=revoke find=ID"),
    _row("payments.charge", "b", "Give back", "Decide the chosen dispute for the payer, who gets "
         "the money back.", "writes", line="OQ do=charge find=ID"),
    _row("payments.reject", "t", "Reject", "Decide the chosen dispute for the payee, who keeps "
         "the money.", "writes", line="OQ do=reject find=ID"),
    _row("payments.person", "g", "Go to client", "Show the client who pays, or whom the chosen "
         "row is about, among the clients."),
    _row("payments.next_tab", "right", "Next tab", "Show the next tab.", "shown"),
    _row("payments.previous_tab", "left", "Previous tab", "Show the tab before."),
    _row("payments.flow", "i", "Flow", "Show the payments as they pass.", line="OQ wait=15"),
    _row("payments.reasons", "e", "Reasons", "Show why payments were refused, and how often.",
         line="OQ"),
    _row("payments.clients", "c", "Clients", "Show users and merchants.",
         line="OQ show=clients"),
    _row("payments.papers", "m", "Requests", "Show requests for money and mandates.",
         line="OQ show=papers"),
    _row("payments.disputes", "d", "Disputes", "Show disputes about payments.",
         line="OQ show=papers"),
    _row("payments.reload", "r", "Reload", "Ask the node again."),
)  # fmt: skip

ACTIONS: dict[str, Action] = {row.id: row for row in _ROWS}


def of(screen: str) -> list[Action]:
    """The actions of a screen, or of all of them (`ANYWHERE`), in their order."""
    return [action for action in ACTIONS.values() if action.screen == screen]


def bindings(screen: str) -> list[Binding]:
    """The actions of a screen as bindings; their ids are what the user's keymap names."""
    # Text inputs own their letters, therefore no binding has priority.
    return [
        Binding(
            action.keys,
            f"do({action.id!r})",
            action.title,
            show=action.shown,
            tooltip=action.help,
            id=action.id,
        )
        for action in of(screen)
    ]


def keys_of(action: Action, keymap: dict[str, str]) -> str:
    """The keys of an action as they are, for people: `ctrl+p`, `? f1`."""
    return spoken(keymap.get(action.id, action.keys))


_CHORD_OR_FUNCTION = re.compile(r"(ctrl|alt)\+.+|f\d+")


def is_free(key: str) -> bool:
    """Whether a key does the same while a line is typed into: it is not a part of its text."""
    return _CHORD_OR_FUNCTION.fullmatch(key.strip()) is not None


_SPOKEN = {
    "question_mark": "?",
    "slash": "/",
    "grave_accent": "`",
    "escape": "esc",
    "delete": "del",
    "right": "→",
    "left": "←",
    "backspace": "bksp",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "ctrl+pagedown": "ctrl+pgdn",
    "ctrl+pageup": "ctrl+pgup",
}


def spoken(keys: str) -> str:
    """Keys as people write them."""
    return " ".join(_SPOKEN.get(key.strip(), key.strip()) for key in keys.split(",") if key)


def hints(ids: Iterable[str], keymap: dict[str, str]) -> str:
    """The first key and the title of some actions, for the edge of a panel."""
    told = []
    for id in ids:
        action = ACTIONS[id]
        told.append(f"{keys_of(action, keymap).partition(' ')[0]} {action.title.lower()}")
    return " · ".join(told)
