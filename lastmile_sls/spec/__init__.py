"""The spec: what the user wants, in one YAML file."""
