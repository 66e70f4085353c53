"""Accounts: who is let in, by whom, as what, and for how long."""
