"""Sortings of hand-placed trains."""

import numpy as np

from embersort.types import Sorting


def sorting_of(*trains, n_samples, rate_hz):
    """The sorting whose k-th unit fires at the k-th train's samples."""
    sample = np.concatenate([np.asarray(train, np.int64) for train in trains])
    unit = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    order = np.argsort(sample, kind="stable")
    return Sorting(
        sample_index=sample[order],
        unit_index=unit[order],
        unit_ids=np.arange(len(trains)),
        sampling_rate_hz=rate_hz,
        n_samples=n_samples,
    )
