"""What several test rooms share: nodes, processes, raw sockets, and waiting with a deadline."""
