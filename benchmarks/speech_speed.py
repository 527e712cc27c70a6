"""Measure how fast voices are separated, without PyTorch.

    python benchmarks/speech_speed.py [--seconds 60]

Prints wall time and processor time as multiples of real time; the mixture is noise that comes and
goes like syllables, which costs what voices cost.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from embersort.speech.separate import SeparateConfig, separate
from embersort.speech.weights import load_shipped


def main() -> None:
    """Print the speed of the shipped network on two speakers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    trained = load_shipped()
    rate_hz = trained.spectrogram.sampling_rate_hz
    rng = np.random.default_rng(0)
    syllables = np.repeat(rng.random(int(seconds * 4) + 1), rate_hz // 4)[: int(seconds * rate_hz)]
    signal = (rng.normal(size=syllables.size) * syllables).astype(np.float32)
    config = SeparateConfig(n_speakers=2)
    separate(signal[: 4 * rate_hz], trained.network, config, trained.spectrogram)
    wall_s, processor_s = time.perf_counter(), time.process_time()
    separate(signal, trained.network, config, trained.spectrogram)
    wall_s, processor_s = time.perf_counter() - wall_s, time.process_time() - processor_s
    print(f"{seconds:g} s: {seconds / wall_s:.0f} times real time by the clock, ", end="")
    print(f"{seconds / processor_s:.0f} by processor time of one core")
    print("PyTorch loaded:", "torch" in sys.modules)


if __name__ == "__main__":
    main()
