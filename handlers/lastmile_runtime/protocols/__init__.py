"""One module per protocol that applications speak."""
