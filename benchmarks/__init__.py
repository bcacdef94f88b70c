"""What Atelier promises of speed and memory, measured here and now: `make bench`.

Each figure is the median of five; what is compared is measured in turns in one run, so that a busy machine
slows both sides alike.
"""
