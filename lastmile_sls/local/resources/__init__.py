"""One module per kind of resource, each with the same operations."""
