"""Load tests: they drive a node from outside and import nothing of it."""
