"""PostgreSQL: the log, what is derived from it, and search."""
