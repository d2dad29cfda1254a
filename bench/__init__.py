"""Measurements of the bank side by side with Redis, PostgreSQL and a classic peer.

Knows the wire, the command line and the settings of a node, never its inside:
everything is measured from outside, as a client or an operator would see it.
"""
