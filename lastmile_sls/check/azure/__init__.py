"""Azure Functions: its host's protocol on this machine, and Azure's own worker library."""
