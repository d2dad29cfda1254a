"""Money between banks: two-phase commit with our own kind, a careful deposit with all others.

Everything here is pure: events and moments go in, operations, messages and replies come out.
"""
