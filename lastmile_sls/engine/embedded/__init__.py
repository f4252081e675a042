"""A small host for unmodified Pulumi programs, on the SDK's own protobufs; it needs nothing but Python."""
