"""A directory of peers of which one is heard."""

from bank_node.network.peers import Directory, Peer

OWN = "10.1.2.3"
PEER = "10.1.2.9"
PORT = 65525


def hear(
    directory: Directory,
    address: str = PEER,
    *,
    now: float = 0.0,
    port: int = PORT,
    latency_ms: float = 10.0,
    said: str = "",
) -> Peer | None:
    """A peer has answered; what is known of it now."""
    directory.heard(address, port, (), latency_ms, now, said=said or address)
    return directory.get(address)
