"""A pane: a thin rounded frame, its title above and its keys below."""

from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from tui import safe


class Panel(Vertical):
    """A frame around widgets; bright while one of them has the focus."""

    def __init__(self, title: str, *children: Widget, id: str, help: str, keys: str = "") -> None:
        """`help` is the sentence that `?` shows of this pane; `keys` stand in its lower edge."""
        super().__init__(*children, id=id)
        self.title = title
        self.pane_help = help
        self._said = ("", "")
        self._titled = ""
        self.say(keys=keys)

    def say(self, note: str | None = None, keys: str | None = None) -> None:
        """Puts a note behind the title and keys into the lower edge; None leaves what is there."""
        said = (self._said[0] if note is None else note, self._said[1] if keys is None else keys)
        if (said, self.title) == (self._said, self._titled) and self.border_title is not None:
            return
        self._said, self._titled = said, self.title
        parts: list[str | tuple[str, str]] = [self.title]
        if said[0]:
            parts.append((f"  {said[0]}", "not bold $bank-dim"))
        self.border_title = _one_row(safe.assemble(*parts))
        self.border_subtitle = _one_row(safe.content(said[1])) if said[1] else None


def _one_row(text: Content) -> Content:
    # An edge is never longer than a screen is wide.
    return text.truncate(200)
