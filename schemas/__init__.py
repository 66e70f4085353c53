"""JSON Schema 2020-12, one per record type; installed as cab_registry.schemas."""
