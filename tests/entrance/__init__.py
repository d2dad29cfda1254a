"""The operator's port of whole nodes."""
