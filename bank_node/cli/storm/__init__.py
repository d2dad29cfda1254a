"""`bank demo --faults`: money moves between banks that are killed, frozen and cut off; an audit."""
