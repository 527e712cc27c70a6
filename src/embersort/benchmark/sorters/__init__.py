"""The sorters that the benchmark knows, their environments, and the scripts that run them."""
