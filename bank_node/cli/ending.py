"""How a process that this program has started is ended in order, and it alone."""

import signal
import subprocess
import sys

# Windows has no SIGTERM; what comes nearest goes to a whole group of processes.
if sys.platform == "win32":
    END: int = signal.CTRL_BREAK_EVENT
    GROUP_OF_ITS_OWN = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    END = signal.SIGTERM
    GROUP_OF_ITS_OWN = 0
"""END ends what was started with these flags, as the `creationflags` of `Popen`."""
