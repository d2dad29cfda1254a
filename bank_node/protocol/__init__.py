"""The wire: the command table, the message catalogue, bytes to requests and back."""
