"""The sort recipe: a recording in, units out."""

from embersort.sorting.recipe import sort

__all__ = ["sort"]
