"""What `scripts/compose-smoke` does; see `__main__`."""
