"""What a person decides about a finished result: labels, merges, splits; applied, kept, undone."""

from embersort.manual.apply import apply_step
from embersort.manual.history import curate_result, read_steps, undo, write_curated
from embersort.manual.read import read_step
from embersort.manual.step import Step

__all__ = [
    "Step",
    "apply_step",
    "curate_result",
    "read_step",
    "read_steps",
    "undo",
    "write_curated",
]
