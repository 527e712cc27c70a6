"""Unmixing: each neuron's own traces out of the recording, by clustering the bins of segments."""
