"""Licences in the store."""
