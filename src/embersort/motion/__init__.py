"""How the tissue moves along the probe, over depth and time."""
