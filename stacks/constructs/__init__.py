"""Constructs that several stacks share; one thing each."""
