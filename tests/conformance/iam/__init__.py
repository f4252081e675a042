"""What identities may do, held against what the runtime does."""
