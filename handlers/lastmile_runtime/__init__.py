"""What runs in the function: answers requests. Imports the standard library and, when a model loads, its own library."""
