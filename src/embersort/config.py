"""The public settings of a sort, one frozen config per stage, and how they are read from files.

A stage's function takes its own config, never the whole. Each setting is declared with its unit,
range, meaning and source; `embersort settings` prints them. Unknown names and values out of range
are refused with the nearest valid name. The defaults are one fixed set for every recording. What
nobody has reason to change is a constant beside the code that uses it.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from embersort.bounds import out_of_bounds
from embersort.config_errors import explain
from embersort.errors import BadConfig


class Config(BaseModel):
    """Base of every config of the project: frozen, strict about names, clear about errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _within_bounds(cls, value: Any, info: ValidationInfo) -> Any:
        if why := out_of_bounds(info.field_name or "", value):
            raise PydanticCustomError("out_of_bounds", "{why}", {"why": why})
        return value

    @classmethod
    def parse(cls, values: dict[str, Any], where: str = "config") -> Self:
        """Build the config from plain values.

        Parameters
        ----------
        values : dict
            Nested plain values, as TOML gives them.
        where : str
            What the values come from, for the error message.

        Raises
        ------
        BadConfig
            If a name is unknown or a value out of range; names field and remedy.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise BadConfig(explain(cls, error, where)) from None

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Read the config from a TOML file."""
        return cls.parse(read_toml(path), where=str(path))


DEV = "chosen on the development recordings"


def setting(default: Any, unit: str, sentence: str, source: str, **limits: Any) -> Any:
    """Declare a public setting.

    Parameters
    ----------
    default
        Its value unless a user gives another.
    unit : str
        Empty for numbers without one.
    sentence : str
        What it is, in one whole sentence.
    source : str
        Where the default comes from: a paper, a convention of the field, a derivation, or the
        recordings on which it was chosen and when.
    **limits
        The range, as `pydantic.Field` takes it.
    """
    extra: dict[str, Any] = {"unit": unit, "source": source}
    return Field(default, description=sentence, json_schema_extra=extra, **limits)


class FilterConfig(Config):
    """Band-pass filter and common reference."""

    low_hz: float = setting(
        300.0, "Hz", "The pass band begins here.", "convention: 300 Hz, as SpikeInterface", gt=0
    )
    high_hz: float = setting(
        6000.0,
        "Hz",
        "The pass band ends here, or at 0.45 of the sampling rate where that is less.",
        "convention: 6000 Hz, as SpikeInterface",
        gt=0,
    )
    reference: Literal["auto", "median", "none"] = setting(
        "auto",
        "",
        "Events are looked for less this common reference; auto takes off what at least 8 channels "
        "share, and looks in white traces where events stand higher in them.",
        f"{DEV}, 2026-12-01",
    )


class WhitenConfig(Config):
    """Local whitening of the channels."""

    enabled: bool = setting(
        True, "", "The channels are whitened.", "convention: all template matchers whiten"
    )
    radius_um: float = setting(
        100.0,
        "µm",
        "Channels this near to a channel take part in its whitening.",
        f"{DEV}, 2026-11-22",
        gt=0,
    )


class DetectConfig(Config):
    """Proposal of events."""

    threshold: float = setting(
        4.3,
        "noise",
        "A trough this high above the channel's noise (MAD / 0.6745) is an event.",
        f"{DEV}, 2026-11-23",
        gt=0,
    )
    exclude_ms: float = setting(
        0.4,
        "ms",
        "Within this time a larger deflection on a near channel hides a smaller one.",
        f"{DEV}, 2026-11-22",
        gt=0,
    )
    exclude_um: float = setting(
        130.0, "µm", "Channels this near count as near in exclude_ms.", f"{DEV}, 2026-11-22", gt=0
    )


class SnippetConfig(Config):
    """The window that is cut round an event."""

    before_ms: float = setting(
        1.0,
        "ms",
        "The window begins this long before the trough.",
        "convention: 1 ms, as SpikeInterface",
        gt=0,
        le=5,
    )
    after_ms: float = setting(
        1.5,
        "ms",
        "The window ends this long after the trough.",
        "convention: 1.5 to 2 ms",
        gt=0,
        le=5,
    )
    radius_um: float = setting(
        120.0, "µm", "Channels this near to the peak channel take part.", f"{DEV}, 2026-11-22", gt=0
    )
    max_channels: int = setting(
        16,
        "channels",
        "At most so many take part.",
        f"{DEV}, 2026-11-22",
        ge=1,
        le=64,
    )


class IsoSplitConfig(Config):
    """ISO-SPLIT, the clustering that needs no number of clusters."""

    dip_threshold: float = setting(
        1.0,
        "",
        "Clusters whose joint projection dips less than this are one.",
        "paper: Magland and Barnett 2015, arXiv:1508.04841",
        gt=0,
    )
    min_cluster_size: int = setting(
        10,
        "events",
        "A cluster smaller than this joins its nearest neighbour.",
        "convention: 10, as the ISO-SPLIT of MountainSort 5",
        ge=2,
    )


class FeatureConfig(Config):
    """What a snippet is reduced to."""

    method: Literal["pca", "encoder"] = setting(
        "encoder",
        "",
        "Events are clustered by the networks beside principal components, or by these alone.",
        f"{DEV}, 2026-11-22",
    )
    context: bool = setting(
        True,
        "",
        "The networks look at each event together with its neighbours within half a minute.",
        f"{DEV}, 2026-11-22",
    )
    device: Literal["cpu", "cuda"] = setting(
        "cpu",
        "",
        "The networks run here; cuda needs PyTorch, and last bits may differ.",
        "derivation: the same bits on every machine",
    )


class ClusterConfig(Config):
    """Clustering of the whole probe, neighbourhood by neighbourhood."""

    isosplit: IsoSplitConfig = IsoSplitConfig()
    """The test by which clusters are told apart."""
    radius_um: float = setting(
        40.0,
        "µm",
        "Events that peak this near to a channel are clustered together with its own.",
        f"{DEV}, 2026-11-22",
        gt=0,
    )


class MatchConfig(Config):
    """Template matching."""

    threshold: float = setting(
        6.0, "noise", "A spike matches its template at least this well.", f"{DEV}, 2026-11-22", gt=0
    )
    min_snr: float = setting(
        4.0,
        "noise",
        "A spike matches by this many standard deviations of what noise alone gives.",
        f"{DEV}, 2026-11-22",
        ge=0,
    )
    min_spikes: int = setting(
        10, "spikes", "A unit has at least this many spikes.", f"{DEV}, 2026-11-22", ge=1
    )
    n_refinements: int = setting(
        1,
        "times",
        "Templates are made anew from collision-cleaned spikes and matched again so often.",
        f"{DEV}, 2026-11-22",
        ge=0,
        le=5,
    )


class MotionConfig(Config):
    """Motion of the tissue along the probe."""

    max_displacement_um: float = setting(
        100.0,
        "µm",
        "The tissue moves by no more than this between two times; 0 leaves motion out.",
        f"{DEV}, 2026-11-22",
        ge=0,
    )


class TrackingConfig(Config):
    """How templates follow their neurons."""

    block_s: float = setting(
        5.0, "s", "Templates may change after each block this long.", f"{DEV}, 2026-11-22", gt=0
    )
    min_change: float = setting(
        0.03,
        "",
        "A template holds until this share of its energy has changed.",
        f"{DEV}, 2026-11-22",
        gt=0,
    )


class RunConfig(Config):
    """How a sort is carried out; none of it changes the result."""

    chunk_s: float = setting(
        3.0,
        "s",
        "A worker is handed so much at a time.",
        "measured: speed",
        gt=0,
    )
    n_workers: int = setting(
        0, "threads", "So many threads work; 0 means one per core.", "convention", ge=0
    )
    keep_mb: float = setting(
        700.0,
        "MB",
        "Preprocessed traces up to this size are kept in memory from one pass to the "
        "next, together with what is kept of events.",
        "measured: memory of the development recordings, 2026-11-22",
        ge=0,
    )


class SortConfig(Config):
    """All stages of a sort."""

    filter: FilterConfig = FilterConfig()
    whiten: WhitenConfig = WhitenConfig()
    detect: DetectConfig = DetectConfig()
    snippet: SnippetConfig = SnippetConfig()
    feature: FeatureConfig = FeatureConfig()
    cluster: ClusterConfig = ClusterConfig()
    match: MatchConfig = MatchConfig()
    motion: MotionConfig = MotionConfig()
    tracking: TrackingConfig = TrackingConfig()
    run: RunConfig = RunConfig()


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    BadConfig
        If the file is missing, not text, or not TOML.
    """
    try:
        with Path(path).open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise BadConfig(f"{path} does not exist") from None
    except IsADirectoryError:
        raise BadConfig(f"{path} is a folder, expected a TOML file") from None
    except OSError as error:
        raise BadConfig(f"{path} cannot be read: {error.strerror}") from None
    # A number of 6,000 digits, or brackets within brackets, is more than Python reads.
    except (ValueError, RecursionError) as error:
        raise BadConfig(f"{path} is not valid TOML: {error}") from None


def with_overrides(values: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Return ``values`` with settings of the form ``section.key=value`` put in.

    A value is read as TOML where it is that (``5``, ``true``, ``"text"``), else as text.

    Raises
    ------
    BadConfig
        If a setting is not of that form.

    Examples
    --------
    >>> with_overrides({}, ["detect.threshold=5.5"])
    {'detect': {'threshold': 5.5}}
    """
    result = copy.deepcopy(values)
    for override in overrides:
        name, equals, text = override.partition("=")
        keys = name.strip().split(".")
        if not equals or not all(keys):
            raise BadConfig(f"'{override}' is not of the form section.key=value")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except (ValueError, RecursionError):
            value = text.strip()
        place = result
        for key in keys[:-1]:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise BadConfig(f"'{override}': '{key}' is a value, not a section")
        place[keys[-1]] = value
    return result
