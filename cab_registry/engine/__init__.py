"""Checks, routes, answers and their explanation. Pure: no I/O and no clock."""
