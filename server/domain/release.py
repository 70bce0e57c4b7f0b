"""Which release of the program this is."""

VERSION = "0.2.0"
