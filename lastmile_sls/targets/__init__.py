"""What each target can carry: tables and pure functions."""
