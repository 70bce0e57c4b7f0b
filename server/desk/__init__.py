"""The use cases of this province: load, decide, commit."""
