"""Alembic's environment and revisions; installed as cab_registry.migrations."""
