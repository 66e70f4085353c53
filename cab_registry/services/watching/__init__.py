"""Watching: what is watched, what changed of it, what is told of it, and feeds that need no watch."""
