"""The Pulumi provider `lastmile`: what no cloud's SDK has as a resource. Both engines drive it."""
