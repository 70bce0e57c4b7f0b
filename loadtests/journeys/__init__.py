"""Journeys of those who use a node, by HTTP; they run in a process of Locust."""
