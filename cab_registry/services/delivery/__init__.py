"""Delivery: endpoints, secrets, and notices on their way by webhook and mail."""
