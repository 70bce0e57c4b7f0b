"""Tongban (通办): the backend of one provincial node of cross-province government services."""
