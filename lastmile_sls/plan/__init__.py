"""Decides what will exist: a pure function from the spec to a document that Pulumi carries out."""
