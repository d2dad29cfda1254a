"""`bank web`: the console in a browser, behind a key."""
