"""From a trained model file and one YAML spec to a governed, multi-version HTTPS endpoint."""

__version__ = "0.1.0"
