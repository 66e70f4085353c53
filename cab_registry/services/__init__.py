"""One use case per function; each owns its transaction and its commit."""
