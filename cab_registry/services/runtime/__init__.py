"""What a process of the service keeps while it runs."""
