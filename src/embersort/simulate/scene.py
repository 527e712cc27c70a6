"""A scene: everything that a simulated recording is made of, and the seed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from embersort.config import Config
from embersort.simulate.amplitudes import AmplitudeConfig
from embersort.simulate.background import BackgroundConfig
from embersort.simulate.motion import DriftConfig
from embersort.simulate.noise import NoiseConfig
from embersort.simulate.placement import PlacementConfig
from embersort.simulate.probes import ProbeConfig
from embersort.simulate.trains import TrainsConfig

INTAN_UV_PER_COUNT = 0.195
"""Size of a count of the common Intan RHD converters."""


class CellsConfig(Config):
    """Which cells, and how large their spikes are."""

    n_units: int = Field(20, ge=0)
    """Number of units."""
    split: Literal["all", "train", "heldout"] = "all"
    """Which part of the bank of cells to draw from."""
    families: tuple[str, ...] = ()
    """Only cells of the bank whose family begins with one of these, such as ``basket``."""
    bank: str = ""
    """A folder of cells to draw from beside the built-in bank: npz files with start, end, diam,
    imem, dt_ms."""
    bank_share: float = Field(0.5, ge=0, le=1)
    """Share of the units that come from that folder; none where ``split`` is ``heldout``."""
    min_snr: float = Field(4.0, gt=0)
    """Smallest trough of a unit in units of the noise, both within 300–6000 Hz."""
    max_snr: float = Field(20.0, gt=0)
    """Largest trough of a unit in units of the noise."""
    n_variants: int = Field(3, ge=1, le=4)
    """Shapes per unit: the lone spike and later spikes of a burst."""

    @model_validator(mode="after")
    def _ordered(self) -> CellsConfig:
        if self.max_snr < self.min_snr:
            raise ValueError("max_snr is less than min_snr")
        return self


class AdcConfig(Config):
    """Rounding to the counts of a converter."""

    uv_per_count: float = Field(0.0, ge=0)
    """Size of a count; 0 leaves the traces unrounded."""
    max_uv: float = Field(6000.0, gt=0)
    """Traces are clipped to ± this where they are rounded."""


class Injection(Config):
    """Units to put into a recording: cells, firing, change, seed."""

    seed: int = Field(0, ge=0)
    """Same seed, same bits."""
    cells: CellsConfig = CellsConfig()
    placement: PlacementConfig = PlacementConfig()
    trains: TrainsConfig = TrainsConfig()
    amplitude: AmplitudeConfig = AmplitudeConfig()
    drift: DriftConfig = DriftConfig()


class Scene(Injection):
    """A simulated recording: units, and all that surrounds them."""

    name: str = "scene"
    """What the scene is called."""
    duration_s: float = Field(60.0, gt=0)
    """Length of the recording."""
    sampling_rate_hz: float = Field(30000.0, ge=2000, le=100000)
    """Samples per second."""
    probe: ProbeConfig = ProbeConfig()
    background: BackgroundConfig = BackgroundConfig()
    noise: NoiseConfig = NoiseConfig()
    adc: AdcConfig = AdcConfig()

    @property
    def n_samples(self) -> int:
        """Number of samples of the recording."""
        return round(self.duration_s * self.sampling_rate_hz)


def demo_scene(seed: int = 0) -> Scene:
    """Return the demonstration: 60 s of 32 channels at 30 kHz with 40 units at 5–10 Hz."""
    return Scene(
        name="demo",
        seed=seed,
        duration_s=60,
        cells=CellsConfig(n_units=40),
        adc=AdcConfig(uv_per_count=INTAN_UV_PER_COUNT),
    )
