"""The use cases of citizens: find out, apply, watch, answer, withdraw."""
