"""A budget that acts: what of the month is spent, what is to be done at which share of it, done once, undone after it."""
