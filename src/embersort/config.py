"""One frozen config per stage of the sort path, and how they are read from files.

A stage's function takes its own config, never the whole. Names carry their
unit. Unknown names and values out of range are refused with the nearest valid
name. The defaults are one fixed set for every recording.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from embersort.errors import BadConfig, nearest_name


class Config(BaseModel):
    """Base of every config of the project: frozen, strict about names, clear about errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

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
            raise BadConfig(_explain(cls, error, where)) from None

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Read the config from a TOML file."""
        return cls.parse(read_toml(path), where=str(path))


class FilterConfig(Config):
    """Band-pass filter and common reference."""

    low_hz: float = Field(300.0, gt=0)
    """Lower edge of the pass band."""
    high_hz: float = Field(6000.0, gt=0)
    """Upper edge of the pass band; lowered to 0.45 of the sampling rate where that is less."""
    order: int = Field(3, ge=1, le=8)
    """Order of the Butterworth filter, run forward and backward."""
    reference: Literal["auto", "median", "none"] = "auto"
    """Common reference, for detection alone: whitening needs none. Auto is the median where at
    least 8 channels share a shank and those far apart share noise."""


class WhitenConfig(Config):
    """Local whitening of the channels."""

    enabled: bool = True
    """Whether the channels are whitened at all."""
    radius_um: float = Field(100.0, gt=0)
    """Channels this near to a channel take part in its whitening."""
    sample_s: float = Field(20.0, gt=0)
    """Seconds of recording, spread evenly, from which covariance and noise are estimated."""
    regularisation: float = Field(0.01, gt=0)
    """Share of the mean variance added to the diagonal of the covariance."""


class DetectConfig(Config):
    """Proposal of events."""

    threshold: float = Field(4.3, gt=0)
    """Height of a trough in units of the channel's noise (MAD / 0.6745)."""
    exclude_ms: float = Field(0.4, gt=0)
    """Within this time a larger deflection on a near channel hides a smaller one."""
    exclude_um: float = Field(130.0, gt=0)
    """What counts as near in ``exclude_ms``."""


class SnippetConfig(Config):
    """The window that is cut round an event."""

    before_ms: float = Field(1.0, gt=0, le=5)
    """Time before the trough."""
    after_ms: float = Field(1.5, gt=0, le=5)
    """Time after the trough."""
    radius_um: float = Field(120.0, gt=0)
    """Channels this near to the peak channel take part."""
    max_channels: int = Field(16, ge=1, le=64)
    """At most this many channels, the nearest first."""


class IsoSplitConfig(Config):
    """ISO-SPLIT, the clustering that needs no number of clusters."""

    dip_threshold: float = Field(1.0, gt=0)
    """Clusters whose joint projection dips less than this are one."""
    min_cluster_size: int = Field(10, ge=2)
    """A cluster smaller than this joins its nearest neighbour."""
    n_parcels: int = Field(200, ge=2)
    """Parcels to start from."""
    parcel_size: int = Field(10, ge=1)
    """Parcels of this size are not halved further."""


class FeatureConfig(Config):
    """What a snippet is reduced to."""

    method: Literal["pca", "encoder"] = "encoder"
    """What events are clustered by: the networks beside principal components, or these alone."""
    context: bool = True
    """Whether ``encoder`` looks at each event together with its neighbours within half a minute."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the networks of ``encoder`` run; ``cuda`` needs PyTorch, and last bits may differ."""
    n_components: int = Field(6, ge=1, le=16)
    """Temporal principal components kept of each channel."""


class MeetConfig(Config):
    """Which spikes of two sets are near in time: a gap counts where both sets are active."""

    share: float = Field(0.02, gt=0, le=1)
    """Those within this share of the recording of one of the other set,"""
    n_nearest: int = Field(30, ge=10)
    """or this many,"""
    max_wait_share: float = Field(0.1, gt=0, le=1)
    """but none farther than this share of the recording from the other set."""


class SeveralConfig(Config):
    """When spikes that no gap parts are several neurons', and how they are parted nevertheless."""

    refractory_ms: float = Field(2.0, gt=0)
    """Spikes of one neuron are at least this far apart."""
    censored_ms: float = Field(0.5, ge=0)
    """Nearer pairs are not all detected, or are one spike found twice."""
    several_share: float = Field(0.5, gt=0, le=1)
    """Two neurons of one rate have this share of the pairs that chance would give,"""
    foreign_share: float = Field(0.1, gt=0, lt=1)
    """one neuron, with foreign spikes among its own, this."""
    min_evidence: float = Field(3.0, ge=0)
    """Least logarithm of how much likelier several neurons are than one."""
    min_pairs: int = Field(3, ge=1)
    """Fewer pairs within the refractory period prove nothing."""
    n_parts: int = Field(16, ge=2)
    """Parts that a mixture of normal distributions starts from."""
    max_seen: int = Field(8000, ge=100)
    """Spikes that say what parts there are."""


class ClusterConfig(Config):
    """Clustering of the whole probe, neighbourhood by neighbourhood."""

    isosplit: IsoSplitConfig = IsoSplitConfig()
    """The test by which clusters are told apart."""
    radius_um: float = Field(40.0, gt=0)
    """Events that peak this near to a channel are clustered together with its own."""
    n_dims: int = Field(10, ge=1, le=20)
    """Principal dimensions in which a set of events is clustered."""
    n_slow: int = Field(3, ge=0, le=10)
    """Slow cosines of time that stand beside the dimensions, so that drift can be seen."""
    slow_scale: float = Field(3.0, gt=0)
    """Height of those cosines, in units of the noise."""
    meet: MeetConfig = MeetConfig()
    """When clusters of features and slow time are compared."""
    slow_from_s: float = Field(20.0, ge=0)
    """In a recording shorter than this nothing is slow."""
    several: SeveralConfig = SeveralConfig()
    """What is split further than gaps would part it."""
    max_seen: int = Field(2000, ge=100)
    """Events that say what clusters there are; the others follow their nearest."""
    max_events: int = Field(100_000, ge=100)
    """Of more events in one neighbourhood only this many, evenly spread in time, are clustered."""


class MatchConfig(Config):
    """Template matching."""

    threshold: float = Field(6.0, gt=0)
    """Least match of a spike, as the height of a peak in units of the noise."""
    min_snr: float = Field(4.0, ge=0)
    """Least match of a spike in standard deviations of what noise alone gives, if that is more."""
    amplitude_sd: float = Field(0.15, gt=0)
    """Standard deviation of a spike's amplitude relative to its template."""
    min_scale: float = Field(0.7, gt=0, lt=1)
    """Least amplitude of a spike relative to its template."""
    max_scale: float = Field(1.7, gt=1)
    """Largest amplitude of a spike relative to its template."""
    refractory_ms: float = Field(1.5, ge=0)
    """A small spike keeps at least this far from the others of its unit."""
    small_threshold: float = Field(8.0, gt=0)
    """Least match of a spike that is smaller than usual, as the height of a peak."""
    sure_small_threshold: float = Field(12.0, gt=0)
    """From this on it may come at any time, below it only soon after others of its unit."""
    small_mean: float = Field(0.7, gt=0)
    """Expected amplitude of a small spike relative to its template."""
    small_sd: float = Field(0.3, gt=0)
    """Standard deviation of that amplitude."""
    small_min_scale: float = Field(0.3, gt=0, lt=1)
    """Least amplitude of a small spike relative to its template."""
    burst_ms: float = Field(20.0, ge=0)
    """A small spike that follows another of its unit within this time follows it soon."""
    max_chance: float = Field(0.3, gt=0, lt=1)
    """Most of the small spikes that follow soon, as a share, that may do so by chance."""
    min_explained: float = Field(0.65, ge=0, lt=1)
    """Share of a small spike's energy beyond noise that its template explains,"""
    min_explained_usual: float = Field(0.5, ge=0, lt=1)
    """and of one of usual size."""
    min_crowd: float = Field(4.0, ge=0)
    """Least logarithm of how much likelier a crowd of strangers makes a unit's smallest spikes."""
    shape_error: float = Field(0.1, ge=0, lt=1)
    """Share of a spike's norm that its template is trusted to miss."""
    min_median_scale: float = Field(0.75, gt=0, lt=1)
    """A unit whose spikes are mostly smaller than its template is none."""
    min_median_gain: float = Field(64.0, gt=0)
    """Half of a unit's spikes lower the squared residual by at least this."""
    min_median_worth: float = Field(1.25, ge=1)
    """Half of a unit's spikes gain this many times what is asked of any; noise gains less."""
    min_spikes: int = Field(10, ge=1)
    """A unit has at least this many spikes."""
    redundant_share: float = Field(0.03, gt=0, lt=1)
    """A template of whose energy the others leave less than this is no unit of its own."""
    n_refinements: int = Field(1, ge=0, le=5)
    """Times that templates are made anew from cleaned spikes and matched again."""
    rank: int = Field(5, ge=1, le=10)
    """Separable components of each template."""
    n_shifts: int = Field(5, ge=1, le=9)
    """Sub-sample positions of each template."""


class MotionConfig(Config):
    """Motion of the tissue along the probe."""

    bin_s: float = Field(2.0, gt=0)
    """Length of a bin of time."""
    max_bins: int = Field(600, ge=3)
    """A long recording has longer bins, at most this many."""
    span_s: float = Field(120.0, gt=0)
    """Bins up to this far apart are compared."""
    window_um: float = Field(400.0, gt=0)
    """Depths this far apart may move differently."""
    blur_um: float = Field(5.0, gt=0)
    """Standard deviation of the smoothing of histograms over depth."""
    max_displacement_um: float = Field(100.0, gt=0)
    """Largest displacement between two bins."""
    min_correlation: float = Field(0.3, ge=0, lt=1)
    """Pairs of bins less alike than this say nothing."""
    tolerance_um: float = Field(4.0, gt=0)
    """Pairs that miss the course by much more than this are taken for mistakes."""
    stiffness: float = Field(0.05, ge=0)
    """Weight of smoothness."""
    min_span_um: float = Field(60.0, gt=0)
    """A probe must extend this far in depth."""
    min_events: float = Field(10.0, gt=0)
    """A bin holds at least this many events on average."""


class MovingConfig(Config):
    """How templates follow their neurons."""

    block_s: float = Field(5.0, gt=0)
    """Templates may change from block to block of this length."""
    n_spikes: int = Field(30, ge=5)
    """Spikes that a template of a time is made of, the nearest in time."""
    min_change: float = Field(0.03, gt=0)
    """A template holds until this share of its energy has changed."""


class MergeConfig(Config):
    """When two units are one neuron."""

    min_similarity: float = Field(0.7, gt=0, lt=1)
    """Copies of one template are at least this much alike."""
    min_link_similarity: float = Field(0.5, gt=0, lt=1)
    """Templates of one moving or bursting neuron are at least this much alike."""
    meet: MeetConfig = MeetConfig()
    """When two units are compared as they are; at rest they are compared at all times."""
    max_copy_dip: float = Field(1.0, gt=0)
    """Units whose joint projection in the last look dips this much are no copies."""
    deep_dip: float = Field(5.0, gt=0)
    """Nor are those that dip this much in the components, unless they keep each other's refractory
    period."""
    dip_threshold: float = Field(1.3, gt=0)
    """Units whose joint projection dips more than this while one takes over from the other, too."""
    n_dims: int = Field(10, ge=1, le=20)
    """Principal dimensions in which the projection is sought."""
    n_slow: int = Field(3, ge=1, le=10)
    """Slow cosines of time whose course is taken out of both units before that."""
    refractory_ms: float = Field(2.0, gt=0)
    """Spikes of one neuron are at least this far apart."""
    censored_ms: float = Field(0.3, ge=0)
    """Nearer pairs may be one spike found twice."""
    hiding_ms: float = Field(1.2, ge=0)
    """Nearer spikes of two neurons may hide each other, so that neither is found."""
    min_expected: float = Field(5.0, gt=0)
    """With fewer coincidences expected by chance, their share has no say."""
    max_coincidence: float = Field(0.5, gt=0)
    """Units with more than this share of the coincidences expected by chance stay apart,"""
    min_coincidences: int = Field(3, ge=1)
    """and so do units with at least this many,"""
    coincidence_chance: float = Field(0.01, gt=0, lt=1)
    """where one neuron would show so many less often than this,"""
    foreign_share: float = Field(0.2, ge=0, lt=1)
    """though foreign spikes among its own gave it this share of the coincidences of strangers."""
    echo_ms: float = Field(4.0, gt=0)
    """An echo follows or precedes its voice within this time."""
    echo_width_ms: float = Field(0.2, gt=0)
    """Lags this near to each other are the same."""
    share_at_fixed_lag: float = Field(0.5, gt=0, le=1)
    """Share of a part's spikes at one lag to another part that makes it an echo."""
    locked_share: float = Field(0.8, gt=0, le=1)
    """And this, where the other part's template does not reach it."""
    burst_ms: float = Field(30.0, gt=0)
    """A spike of a burst follows another within this time."""
    min_burst_share: float = Field(0.3, gt=0, le=1)
    """Share of the smaller spikes, beyond chance, that follow another so soon."""
    min_burst_cosine: float = Field(0.85, gt=0, le=1)
    """Spikes of a burst have at least this much of their shape in common."""
    min_recovering_cosine: float = Field(0.75, gt=0, le=1)
    """This much is enough where the sets keep each other's refractory period."""
    recover_ms: float = Field(100.0, gt=0)
    """Spikes of a neuron recover their height within this time,"""
    min_recovering: float = Field(0.05, ge=0, le=1)
    """so that more of the smaller ones, by this share, have a larger one before than after them."""
    min_half_cosine: float = Field(0.8, gt=0, le=1)
    """Units of one neuron that was found at two troughs are at least this much alike at a lag."""
    sure_half_cosine: float = Field(0.88, gt=0, le=1)
    """If this much alike at a lag, but not as they are, they need no other proof."""
    min_half_ms: float = Field(0.1, ge=0)
    """Two troughs are at least this far apart,"""
    half_censored_ms: float = Field(0.6, ge=0)
    """and at most this; nearer pairs of spikes may be one found at both."""
    half_chance: float = Field(1e-3, gt=0, lt=1)
    """Chance that strangers keep out of each other's way as halves of one neuron must."""
    max_half_coincidence: float = Field(0.1, gt=0)
    """Their spikes coincide at most in this share of what chance would give."""
    block_s: float = Field(2.0, gt=0)
    """Blocks of time in which two parts are active together or not."""
    max_shared: float = Field(0.5, gt=0, le=1)
    """Parts of one moving neuron spend at most this share of their spikes in common blocks."""
    max_turn: float = Field(0.6, gt=0, le=1)
    """Parts that take turns share at most this part of the blocks that chance would have them."""
    place_um: float = Field(8.0, gt=0)
    """Parts of one neuron lie this near to each other, the motion of the tissue taken off."""
    max_place_um: float = Field(20.0, gt=0)
    """Or this near, if one gains what the other loses as the tissue moves."""
    min_moved_cosine: float = Field(0.75, gt=0, le=1)
    """At least so much of their main channel's shape is then in common,"""
    max_moved_ratio: float = Field(3.0, gt=1)
    """and their heights differ at most by this factor."""
    min_moved_um: float = Field(5.0, gt=0)
    """Smaller displacements are uncertain."""
    n_displacements: int = Field(8, ge=3)
    """Displacements that are told apart."""
    min_swing: float = Field(5.0, gt=1)
    """Two parts of one neuron vary over displacement more than this many times what chance gives,
    their sum less."""
    max_remainder: float = Field(0.05, gt=0, lt=1)
    """Share of that variance that may be left in their sum."""
    min_peak_cosine: float = Field(0.9, gt=0, le=1)
    """Parts at one place have at least this much of their main channel's shape in common."""
    max_height_ratio: float = Field(2.0, gt=1)
    """A moving neuron's height on its largest channel varies at most by this factor."""
    min_passing: int = Field(10, ge=2)
    """With fewer spikes in common blocks a gap cannot be seen."""


class RunConfig(Config):
    """How a sort is carried out; none of it changes the result."""

    chunk_s: float = Field(3.0, gt=0)
    """Seconds of recording handed to a worker at a time."""
    n_workers: int = Field(0, ge=0)
    """Threads; 0 means one per core."""
    keep_mb: float = Field(700.0, ge=0)
    """Megabytes of preprocessed traces kept in memory from one pass to the next, together with what
    is kept of events."""
    keep_mb_per_channel: float = Field(6.0, ge=0)
    """As many for each channel, where that is more; but a quarter of the machine's at most."""


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
    moving: MovingConfig = MovingConfig()
    merge: MergeConfig = MergeConfig()
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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
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
        except tomllib.TOMLDecodeError:
            value = text.strip()
        place = result
        for key in keys[:-1]:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise BadConfig(f"'{override}': '{key}' is a value, not a section")
        place[keys[-1]] = value
    return result


def _explain(model: type[BaseModel], error: ValidationError, where: str) -> str:
    """Turn one of pydantic's complaints into a sentence that names field and remedy.

    An unknown name goes first: a name that is missing may be that one, mistyped.
    """
    complaints = error.errors()
    first = next((c for c in complaints if c["type"] == "extra_forbidden"), complaints[0])
    path = [str(part) for part in first["loc"]]
    name = ".".join(path)
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown name '{name}'{nearest_name(path[-1], _fields(model, path[:-1]))}"
    if first["type"] == "missing":
        return f"{where}: '{name}' is missing"
    return f"{where}: '{name}' is {first.get('input')!r}: {first['msg'].lower()}"


def _fields(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """Return the names of the fields of the sub-model at ``path``."""
    kind: Any = model
    for key in path:
        kind = _part(kind, key)
    return list(kind.model_fields) if _is_model(kind) else []


def _part(kind: Any, key: str) -> Any:
    """Return the type at ``key`` of a model, list, mapping, or choice of models."""
    arguments = [a for a in get_args(kind) if a is not type(None)]
    if _is_model(kind):
        return kind.model_fields[key].annotation if key in kind.model_fields else None
    if not arguments:
        return None
    if get_origin(kind) is Annotated:
        return _part(arguments[0], key)
    if get_origin(kind) in (Union, UnionType):
        # Pydantic names the member that it tried, unless only None is beside it.
        return next((a for a in arguments if _is_called(a, key)), _part(arguments[0], key))
    return arguments[-1] if isinstance(get_origin(kind), type) else None


def _is_called(kind: Any, name: str) -> bool:
    """Return whether pydantic calls a member of a choice so: by its class or its kind."""
    if not _is_model(kind):
        return False
    tags = (get_args(field.annotation) for field in kind.model_fields.values())
    return name == kind.__name__ or any(name in tag for tag in tags)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
