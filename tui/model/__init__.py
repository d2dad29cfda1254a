"""What the node told, as immutable values, and what follows from it: pure, without a terminal."""
