"""What to answer: the gate and one short function a command."""
