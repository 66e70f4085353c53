"""CAB Registry: who may assess conformity for whom, and whether a document in hand is accepted."""

__version__ = "1.0.0"
