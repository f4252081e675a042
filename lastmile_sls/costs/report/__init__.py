"""The cost report: made of the cube of what was billed, told as a page, a table, JSON or CSV."""
