"""Which cloud, and which size: the targets that can carry a spec side by side, with what each would cost."""
