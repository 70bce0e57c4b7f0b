"""Other provinces: the directory, the wire, what goes out and what comes in."""
