"""What units look like, at each time."""
