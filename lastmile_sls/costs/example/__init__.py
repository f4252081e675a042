"""A month of bills that nobody paid: what the report looks like, before there is a cloud account."""
