"""The page that a browser gets: a terminal, and what is told before and after it.

Everything in it comes from this server, and nothing from anywhere else: it works without a network,
and nobody learns that it was opened.
"""

from html import escape
from pathlib import Path

FILES = ("js/textual.js", "css/xterm.css", "fonts/RobotoMono-VariableFont_wght.ttf",
         "fonts/RobotoMono-Italic-VariableFont_wght.ttf")  # fmt: skip
"""What the page needs of the library that draws the terminal, below `/static/`."""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>bank</title>
<link rel="icon" href="data:,">
<link rel="preload" as="font" type="font/ttf" crossorigin
      href="/static/fonts/RobotoMono-VariableFont_wght.ttf">
<link rel="preload" as="font" type="font/ttf" crossorigin
      href="/static/fonts/RobotoMono-Italic-VariableFont_wght.ttf">
<link rel="stylesheet" href="/static/css/xterm.css">
<style>
@font-face { font-family: "Roboto Mono"; font-weight: 100 700; font-display: block;
  src: url("/static/fonts/RobotoMono-VariableFont_wght.ttf"); }
@font-face { font-family: "Roboto Mono"; font-weight: 100 700; font-display: block;
  font-style: italic; src: url("/static/fonts/RobotoMono-Italic-VariableFont_wght.ttf"); }
html, body { margin: 0; height: 100%; overflow: hidden; background: #0e1116; color: #d7dde5;
  font: 16px "Roboto Mono", menlo, monospace; }
#terminal { width: 100vw; height: 100vh; }
.xterm .xterm-viewport { overflow: hidden; background: #0e1116 !important; }
.told { position: absolute; inset: 0; z-index: 10; display: flex; flex-direction: column;
  align-items: center; justify-content: center; gap: 16px; pointer-events: none; }
.told a { color: #0e1116; background: #d7dde5; padding: 8px 24px; text-decoration: none;
  pointer-events: auto; }
#ended { display: none; background: #0e111690; }
.-first-byte #begins, .-closed #begins { display: none; }
.-closed #ended { display: flex; }
</style>
<script src="/static/js/textual.js"></script>
<script src="/page.js"></script>
</head>
<body>
<div id="terminal" class="textual-terminal" data-font-size="16"
     data-session-websocket-url="WEBSOCKET"></div>
<div id="begins" class="told"><b>bank</b><i>The console starts.</i></div>
<div id="ended" class="told"><span>This console has ended.</span><a href="/">Open another</a></div>
</body>
</html>
"""

SCRIPT = """"use strict";
// Whoever opens the page may type at once, and again when coming back to it.
const focus = () => document.querySelector(".xterm-helper-textarea")?.focus();
window.addEventListener("load", focus);
window.addEventListener("focus", focus);
"""


def page(websocket: str) -> str:
    """The page whose terminal speaks over the websocket at a URL."""
    return _PAGE.replace("WEBSOCKET", escape(websocket))


def policy(socket_origin: str) -> str:
    """What the page may load, as a Content-Security-Policy: its own, and nothing else."""
    return (
        "default-src 'none'; script-src 'self'; font-src 'self'; img-src 'self' data:; "
        # The terminal styles its rows with elements that it makes as it goes.
        "style-src 'self' 'unsafe-inline'; "
        f"connect-src 'self' {socket_origin}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def files_folder() -> Path:
    """Where the library keeps its files."""
    import textual_serve

    assert textual_serve.__file__
    return Path(textual_serve.__file__).parent / "static"
