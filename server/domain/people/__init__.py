"""Persons, officers and what they hold: identities, mandates, claims on tasks."""
