"""The case as a value: its steps, the acts that may be asked of it, and the events that made it."""
