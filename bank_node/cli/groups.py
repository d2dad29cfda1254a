"""How a group of commands looks in its help."""

import click

# No summary is cut short; what is too long for a row goes on in the next one.
_SUMMARY_MAX = 400


class Group(click.Group):
    """Lists its commands with whole sentences."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the first sentence of each command."""
        names = self.list_commands(ctx)
        commands = [(name, self.get_command(ctx, name)) for name in names]
        rows = [(name, row.get_short_help_str(_SUMMARY_MAX)) for name, row in commands if row]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
