"""Which spikes belong together, and which to no unit."""
