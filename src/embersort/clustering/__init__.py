"""Clustering that needs no number of clusters."""

from embersort.clustering.isocut import isocut
from embersort.clustering.isosplit import isosplit

__all__ = ["isocut", "isosplit"]
