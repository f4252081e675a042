"""Which cloud, and which size."""
