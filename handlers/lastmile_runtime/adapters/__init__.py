"""One module per place where functions run: from its events to requests, and back."""
