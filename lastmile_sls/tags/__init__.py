"""Compares the tags of what is deployed with the spec's, and says what each missing one costs."""
