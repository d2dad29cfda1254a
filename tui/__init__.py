"""The operator's console: a dashboard on a bank node, and a client of its protocol like any other.

Knows how to ask and how to show; never knows the ledger, the stores or how a node is run. The
ways in are `tui.entry.run` and `tui.entry.ask_first_start`.
"""
