"""Measurements: full answers a second in process, and over HTTP beside a constant body of the same server."""
