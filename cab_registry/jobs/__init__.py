"""Work that is due at a time: expiries, watches, reviews."""
