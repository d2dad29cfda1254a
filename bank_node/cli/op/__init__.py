"""`bank op`: what the dashboard does, as plain commands."""
