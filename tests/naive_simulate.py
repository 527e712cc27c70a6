"""Slow, obvious twins of the simulator's fast kernels."""

from __future__ import annotations

import numpy as np


def line_source_gains(positions, start, end, diameter, conductivity, n_points=20001):
    """Add up many point sources along each segment; µV per nA."""
    gains = np.zeros((len(positions), len(start)))
    shares = (np.arange(n_points) + 0.5) / n_points
    for j in range(len(start)):
        points = start[j] + shares[:, None] * (end[j] - start[j])
        for i in range(len(positions)):
            distance = np.linalg.norm(points - positions[i], axis=1)
            gains[i, j] = 1e3 * np.mean(1 / (4 * np.pi * conductivity * distance))
    return gains


def add_spikes(n_samples, n_channels, spikes, templates):
    """Add every spike to a silent recording, shifted by cubic Lagrange interpolation."""
    traces = np.zeros((n_samples, n_channels))
    for i in range(len(spikes.sample_index)):
        index = spikes.template_index[i]
        block = templates.block(index).astype(float)
        share = float(spikes.grid_share[i])
        wave = block[spikes.grid_index[i]] * (1 - share)
        if share:
            wave = wave + share * block[spikes.grid_index[i] + 1]
        channels = templates.template_channels(index)
        d = float(spikes.shift[i])
        for delay in (-1, 0, 1, 2):
            others = [other for other in (-1, 0, 1, 2) if other != delay]
            weight = np.prod([(d - other) / (delay - other) for other in others])
            for t in range(templates.n_window):
                sample = spikes.sample_index[i] - templates.n_before + t + delay
                if 0 <= sample < n_samples:
                    traces[sample, channels] += spikes.amplitude[i] * weight * wave[t]
    return traces


def coloured_noise(drawn, taps, sources, weights, white, n_samples):
    """Filter each source, mix, and add the white part, one sample at a time."""
    n_channels = len(sources)
    coloured = np.zeros((n_samples, n_channels))
    for channel in range(n_channels):
        for t in range(n_samples):
            coloured[t, channel] = sum(
                float(tap) * float(drawn[channel, t + k]) for k, tap in enumerate(taps)
            )
    traces = np.zeros((n_samples, n_channels))
    for channel in range(n_channels):
        for source, weight in zip(sources[channel], weights[channel], strict=True):
            if source >= 0:
                traces[:, channel] += weight * coloured[:, source]
        reverse = drawn[n_channels - 1 - channel][::-1]
        traces[:, channel] += white * reverse[:n_samples]
    return traces


def hashed_normals(key, stream, n, n_pairs=512):
    """One number after the other, with Python's integers and float64's functions."""
    a, b, c, d, e = 0x7FEB352D, 0x846CA68B, 0xED5AD4BB, 0xAC4C1B51, 0x31848BAB
    keys = [int(k) for k in np.random.SeedSequence([key, stream]).generate_state(3, np.uint32)]

    def mixed(x, steps):
        for shift, factor in steps:
            x = (x ^ x >> shift) * factor % 2**32
        return x

    numbers = []
    for index in range(n):
        block, place = divmod(index, 2 * n_pairs)
        is_sine, pair = divmod(place, n_pairs)
        x = mixed((block * n_pairs + pair + keys[0]) % 2**32, [(16, a), (15, b), (16, 1)])
        x = mixed(x ^ keys[1], [(17, c), (11, d), (15, e), (14, 1)])
        y = mixed((x + keys[2]) % 2**32, [(16, a), (15, b), (16, 1)])
        radius = np.sqrt(-2 * np.log((np.float32(x >> 1) + 0.5) * 2.0**-31))
        angle = np.pi * (y - 2**32 * (y >= 2**31)) / 2**31
        numbers.append(radius * (np.sin(angle) if is_sine else np.cos(angle)))
    return np.array(numbers)
