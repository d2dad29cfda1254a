"""How bytes travel: the server, the client library, peers."""
