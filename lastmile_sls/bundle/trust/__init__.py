"""Documents beside a bundle, bound to it by its digest: who signed it, what is in it, how it was made."""
