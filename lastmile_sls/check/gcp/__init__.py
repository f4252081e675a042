"""Cloud Run: its container contract on this machine."""
