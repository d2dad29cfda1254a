"""Who is speaking, and how often they may be wrong about it."""
