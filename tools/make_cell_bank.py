"""Make all cells of the simulator's bank anew by the recipe: about 5 minutes of one core.

    PYTHONPATH=tools python tools/make_cell_bank.py cells.npz --workers 2

It ran once; its result ships as ``embersort/simulate/bank/cells.npz``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cable.make import make_bank


def main() -> None:
    """Make the bank and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--workers", type=int, default=1, help="Processes that make cells.")
    arguments = parser.parse_args()
    make_bank(arguments.path, n_workers=arguments.workers, progress=print)


if __name__ == "__main__":
    main()
