"""The local target: a function's process as its host starts it."""
