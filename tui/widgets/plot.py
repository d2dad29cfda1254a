"""The chart library, with the axes as quiet as the rest of the frame. Imported when needed."""

from plotext._dict import themes as plotext_themes  # type: ignore[import-untyped]
from textual.color import Color
from textual_plotext import PlotextPlot


class Plot(PlotextPlot):
    """A plot whose axes and ticks have the dim colour of the theme."""

    def _register_theme(self, app_theme_name: str) -> None:
        self.theme = "auto"
        super()._register_theme(app_theme_name)
        name = self._get_plotext_theme_name(app_theme_name)
        theme = list(plotext_themes[name])
        # Canvas, axes, ticks: the library takes the colour of the text for the third.
        dim = self.app.theme_variables.get("bank-dim", "")
        is_ansi = self.app.native_ansi_color
        if not is_ansi:
            theme[2] = Color.parse(dim).rgb
            plotext_themes[name] = theme
        # The terminal's own colours have no figures that the library could paint with.
        self.theme = "clear" if is_ansi else "auto"
        self.refresh()
