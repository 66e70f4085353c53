"""The register compiled in memory at a position of the log."""
