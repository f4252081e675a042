"""Azure, asked with its management clients, Log Analytics' client and that of storage queues."""
