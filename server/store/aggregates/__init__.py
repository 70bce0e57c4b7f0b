"""Aggregates in the store: one document each, with a chain of events, and how far each has come."""
