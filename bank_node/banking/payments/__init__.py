"""Payments of people and shops over the ledger: addresses, PINs, codes to scan, limits, records."""
