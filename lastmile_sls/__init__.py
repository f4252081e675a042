"""From a model file and one spec to an HTTPS endpoint."""
