"""A node of a peer-to-peer network of banks."""
