"""The steps of a run, each a few states of its state machine."""
