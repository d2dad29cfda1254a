"""The themes: dark, light, safe for colour-blind eyes, and the terminal's own colours.

One background, panels one step lighter, one accent and three colours with a meaning. Whatever a
colour says, a glyph and a word beside it say too.
"""

from textual.theme import Theme

# Text colours on the panels of their theme have a contrast of at least 4.5:1 (tests/tui).
DARK = Theme(
    name="bank-dark",
    primary="#4cc2ff",
    secondary="#7aa2c8",
    accent="#4cc2ff",
    success="#5fd38d",
    warning="#f2b84b",
    error="#ff7a85",
    foreground="#d7dee6",
    background="#0d1217",
    surface="#131a21",
    panel="#1a232c",
    dark=True,
    variables={
        "bank-dim": "#8494a3",
        "bank-edge": "#2c3946",
        "bank-cursor": "#24455c",
        "bank-stripe": "#161e26",
        "footer-background": "#0d1217",
        "footer-key-foreground": "#4cc2ff",
        "footer-description-foreground": "#8494a3",
        "block-cursor-text-style": "none",
    },
)
LIGHT = Theme(
    name="bank-light",
    primary="#0b62a8",
    secondary="#45617a",
    accent="#0b62a8",
    success="#1a6b3c",
    warning="#8a5300",
    error="#b3202e",
    foreground="#1c2733",
    background="#f1f4f7",
    surface="#fafcfd",
    panel="#e6ebf0",
    dark=False,
    variables={
        "bank-dim": "#566675",
        "bank-edge": "#c3ced8",
        "bank-cursor": "#c6e0f5",
        "bank-stripe": "#f2f6f9",
        "footer-background": "#f1f4f7",
        "footer-key-foreground": "#0b62a8",
        "footer-description-foreground": "#566675",
        "block-cursor-text-style": "none",
    },
)
# Blue, orange and vermilion of Okabe and Ito, which all common kinds of colour blindness tell
# apart; good is blue here and not green.
SAFE = Theme(
    name="bank-safe",
    primary="#56b4e9",
    secondary="#9fb3c8",
    accent="#f0e442",
    success="#56b4e9",
    warning="#e69f00",
    error="#ff8a5c",
    foreground="#e8e8e8",
    background="#0c0f14",
    surface="#13171e",
    panel="#1b212a",
    dark=True,
    variables={
        "bank-dim": "#97a3b0",
        "bank-edge": "#323c49",
        "bank-cursor": "#4a4520",
        "bank-stripe": "#161b23",
        "footer-background": "#0c0f14",
        "footer-key-foreground": "#f0e442",
        "footer-description-foreground": "#97a3b0",
        "block-cursor-text-style": "none",
    },
)
ANSI = Theme(
    name="bank-ansi",
    ansi=True,
    primary="ansi_cyan",
    secondary="ansi_blue",
    accent="ansi_cyan",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    dark=True,
    variables={
        "bank-dim": "ansi_bright_black",
        "bank-edge": "ansi_bright_black",
        "bank-cursor": "ansi_blue",
        "bank-stripe": "ansi_default",
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
        "border-blurred": "ansi_black",
        "block-cursor-foreground": "ansi_black",
        "block-cursor-background": "ansi_white",
        "input-cursor-background": "ansi_white",
        "input-cursor-foreground": "ansi_black",
        "input-selection-background": "ansi_bright_blue",
        "input-selection-foreground": "ansi_black",
        "footer-background": "ansi_default",
        "footer-key-foreground": "ansi_cyan",
        "footer-description-foreground": "ansi_default",
    },
)

THEMES = (DARK, LIGHT, SAFE, ANSI)

# What the style sheets may name although Textual's own themes do not have it.
FALLBACK = {
    "bank-dim": "$text-muted",
    "bank-edge": "$foreground 20%",
    "bank-cursor": "$primary 30%",
    "bank-stripe": "$surface",
}

_TONES = {
    "good": "$success",
    "warn": "$warning",
    "bad": "$error bold",
    "accent": "$accent",
    "dim": "$bank-dim",
    "": "",
}


def tone(name: str) -> str:
    """The style of a meaning: `good`, `warn`, `bad`, `accent`, `dim` or nothing."""
    return _TONES[name]


_STATES = {
    "serving": ("●", "good"),
    "verified": ("●", "good"),
    "draining": ("◐", "warn"),
    "read_only": ("◑", "warn"),
    "stopping": ("◔", "warn"),
    "silent": ("○", "warn"),
    "mute": ("◌", "warn"),
    "known": ("◍", "dim"),
    "forgotten": ("·", "dim"),
    "lost": ("✗", "bad"),
    "connecting": ("…", "warn"),
    "paused": ("‖", "warn"),
    "info": ("·", "dim"),
    "debug": ("·", "dim"),
    "warning": ("▲", "warn"),
    "error": ("✗", "bad"),
    "critical": ("✗", "bad"),
}


def marked(state: str) -> tuple[str, str]:
    """A state as glyph and word, and its tone."""
    glyph, tone_name = _STATES.get(state, ("·", ""))
    return f"{glyph} {state.replace('_', ' ')}", tone_name
