"""The sort recipe: a recording in, units out."""

from embersort.sorting.recipe import sort, sort_evidence

__all__ = ["sort", "sort_evidence"]
