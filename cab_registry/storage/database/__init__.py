"""How this program reaches PostgreSQL, and how it notices that PostgreSQL does not answer."""
