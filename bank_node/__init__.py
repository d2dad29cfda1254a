"""A node of a peer-to-peer network of banks."""

__version__ = "0.1.0"
