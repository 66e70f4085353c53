"""What stands between the network and the operations: connections, bodies, limits of clients, and the audit log."""
