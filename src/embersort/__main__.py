"""``python -m embersort`` is ``embersort``."""

from embersort.cli import main

if __name__ == "__main__":
    main()
