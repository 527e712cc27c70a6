"""Slow, obvious twins of `embersort.unmixing` and of the ideal mask."""

import numpy as np


def dominant_unit(sources, scale, start, stop, least):
    label = np.full((stop - start, len(scale)), -1)
    height = np.full(label.shape, np.float32(least))
    for unit, source in enumerate(sources):
        traces = source.read(start, stop)
        for t in range(stop - start):
            for column, channel in enumerate(source.channels):
                size = abs(traces[t, column]) * scale[channel]
                if size > height[t, channel]:
                    label[t, channel], height[t, channel] = unit, size
    return label, height


def embed_stretch(embedder, start, stop):
    """Each bin: every segment's embeddings read at its sample by straight lines, added up."""
    segments = embedder.segments
    step = segments.sampling_rate_hz / 20000.0
    total = np.zeros((stop - start, segments.geometry.n_channels, embedder.n_dims))
    for event in range(segments.n_events):
        bins = embedder.embed(event)
        trough = segments.events.sample_index[event] + float(segments.shift[event])
        times = trough + (np.arange(bins.shape[1]) - 15) * step
        for row, channel in enumerate(segments.local(event)):
            for t in range(start, stop):
                if times[0] <= t <= times[-1]:
                    for d in range(embedder.n_dims):
                        total[t - start, channel, d] += np.interp(t, times, bins[row, :, d])
    return total


def expected_stretch(embedder, event_unit, bin_unit, start):
    """Each bin: the mean over its unit's events there of the mean of their neighbours."""
    segments = embedder.segments
    expected = np.full(bin_unit.shape, np.nan)
    for t, channel in np.argwhere(bin_unit >= 0):
        values = []
        for event in np.flatnonzero(event_unit == bin_unit[t, channel]):
            near = embedder.neighbours(event)
            row = np.flatnonzero(segments.local(event) == channel)
            trough = segments.events.sample_index[event] + float(segments.shift[event])
            times = trough + (np.arange(near.shape[2]) - 15) * segments.sampling_rate_hz / 20000.0
            if len(near) and len(row) and times[0] <= t + start <= times[-1]:
                values.append(np.interp(t + start, times, near.mean(axis=0)[row[0]]))
        if values:
            expected[t, channel] = np.mean(values)
    return expected
