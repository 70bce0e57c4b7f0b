"""The rules: what a case is and who may do what with it; no clock, no chance, no wire, no disk."""
