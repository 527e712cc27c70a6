"""Where recordings come from: one config per kind of source, as the registry holds it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from embersort.config import Config

SHA256_PATTERN = re.compile(r"[0-9a-f]{64}|")


class SceneSource(Config):
    """One of our own scenes, rendered on the spot."""

    kind: Literal["scene"]
    scene: dict[str, Any]
    """The scene as its TOML file gives it, or ``family`` and ``difficulty``."""
    seed: int = Field(0, ge=0)
    """Seed of everything that is random in it."""


class GeneratorSource(Config):
    """SpikeInterface's ``generate_ground_truth_recording``."""

    kind: Literal["spikeinterface"]
    probe: dict[str, Any]
    """Arguments of ``probeinterface.generate_multi_columns_probe``, or ``tetrode = true``."""
    duration_s: float = Field(gt=0)
    """Length of the recording."""
    sampling_rate_hz: float = Field(30_000.0, gt=0)
    """Sampling rate."""
    n_units: int = Field(ge=1)
    """Number of true units."""
    noise_uv: float = Field(10.0, gt=0)
    """Standard deviation of the noise."""
    drift: dict[str, Any] = Field(default_factory=dict)
    """Arguments of ``generate_drifting_recording``'s displacement; empty for none."""
    arguments: dict[str, Any] = Field(default_factory=dict)
    """Further arguments of the generator."""
    seed: int = Field(0, ge=0)
    """Seed of the generator."""


class MearecSource(Config):
    """A MEArec recording, made in MEArec's own environment."""

    kind: Literal["mearec"]
    duration_s: float = Field(gt=0)
    """Length of the recording."""
    probe: str
    """Probe by MEArec's name, for example ``Neuronexus-32`` or ``tetrode``."""
    n_excitatory: int = Field(ge=0)
    """Number of excitatory cells."""
    n_inhibitory: int = Field(ge=0)
    """Number of inhibitory cells."""
    noise_uv: float = Field(10.0, ge=0)
    """Standard deviation of the noise."""
    templates_per_cell: int = Field(30, ge=1)
    """Templates simulated of each of MEArec's cell models, from which the cells are drawn."""
    drifting: bool = False
    """Whether templates along a drift path are simulated and the cells move."""
    recording_parameters: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Sections of MEArec's recording parameters that differ from its defaults."""
    seed: int = Field(0, ge=0)
    """Seed of templates, trains, convolution and noise."""


class RemoteFile(Config):
    """A file to download."""

    path: str
    """Where it goes inside the recording's folder; may not lead out of it."""
    url: str
    """http, https or file address."""
    sha256: str = ""
    """Expected hash; empty until the first fetch."""

    @field_validator("sha256")
    @classmethod
    def _is_hash(cls, value: str) -> str:
        if not SHA256_PATTERN.fullmatch(value):
            raise ValueError("expected 64 hexadecimal digits in lower case, or nothing")
        return value


class Layout(Config):
    """How recording and truth lie in a folder of files."""

    recording: str
    """Path of the recording inside the folder."""
    recording_format: str = "auto"
    """Format as ``embersort sort --format`` takes it."""
    recording_options: dict[str, Any] = Field(default_factory=dict)
    """Further options of ``open_recording`` (sampling_rate_hz, dtype, n_channels …)."""
    truth: str = ""
    """Path of the true sorting; empty where there is none."""
    truth_format: Literal["npz", "nwb"] = "npz"
    """``npz`` holds sample_index, unit_index and unit_ids; ``nwb`` its units table."""


class FilesSource(Layout):
    """Plain files by address and hash."""

    kind: Literal["files"]
    files: list[RemoteFile] = Field(default_factory=list)
    """What to download."""


class DandiSource(Layout):
    """One asset of a DANDI dandiset."""

    kind: Literal["dandi"]
    dandiset: str
    """Six digits."""
    version: str = "draft"
    """Published version, or draft."""
    asset_path: str = ""
    """Path of the asset; empty where it is known only from the archive itself."""
    asset_id: str = ""
    """Identifier of the asset; empty until the first fetch."""
    sha256: str = ""
    """Expected hash; empty until the first fetch."""


class LocalSource(Layout):
    """Files that are on this machine already."""

    kind: Literal["local"]
    folder: str
    """Folder of recording and truth; relative to the entry's file."""


Source = Annotated[
    SceneSource | GeneratorSource | MearecSource | FilesSource | DandiSource | LocalSource,
    Field(discriminator="kind"),
]
