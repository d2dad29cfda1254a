"""How a console draws when it is looked at in a browser: packets on its standard streams.

Knows the one that started it as the other end of two pipes; never a socket or a page.
"""

import os
from typing import Any

from textual.drivers.web_driver import WebDriver

_NOBODY_THERE = 1


class BrowserDriver(WebDriver):
    """Ends the console when the server that started it is gone, however that ended."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._asked_to_leave = False

    def stop_application_mode(self) -> None:
        """The console ends by itself, and so may its input."""
        self._asked_to_leave = True
        super().stop_application_mode()

    def run_input_thread(self) -> None:
        """Reads what the browser sends until the console or the server ends."""
        super().run_input_thread()
        if not self._asked_to_leave:
            # At once: nobody reads any more what a console that ends in order would draw.
            os._exit(_NOBODY_THERE)
