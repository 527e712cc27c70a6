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
