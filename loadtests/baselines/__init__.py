"""Servers as small as can be that keep what is handed in, for comparison with a node."""
