"""List prices of what a plan can create: each dated, with its source, by meter and region."""
