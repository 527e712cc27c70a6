"""Every sorter with its recommended settings and where these come from."""

from __future__ import annotations

import logging
from dataclasses import replace

from embersort.benchmark.home import Home
from embersort.benchmark.sorters.by_recording import kilosort4_settings, mountainsort4_settings
from embersort.benchmark.sorters.spec import SorterSpec
from embersort.benchmark.sorters.user import read_user_sorter
from embersort.errors import BadConfig, BadInput, nearest_name

_log = logging.getLogger(__name__)

SPIKEINTERFACE = "spikeinterface==0.105.3"
TORCH = "torch==2.13.0"

_LUPIN = SorterSpec(
    name="lupin",
    title="Lupin",
    licence="MIT",
    homepage="https://spikeinterface.readthedocs.io",
    environment="spikeinterface",
    requirements=(TORCH, "spikeinterface[full]==0.105.3 hdbscan"),
    package="spikeinterface",
    worker="run_spikeinterface.py",
    worker_sorter="lupin",
    settings_source="defaults of SpikeInterface's own sorter",
)

_KILOSORT4 = SorterSpec(
    name="kilosort4",
    title="Kilosort 4 (newest)",
    licence="GPL-3.0-only",
    homepage="https://kilosort.readthedocs.io",
    environment="kilosort4",
    requirements=(TORCH, f"{SPIKEINTERFACE} kilosort>=4.1.7,<5 pandas"),
    package="kilosort",
    worker="run_spikeinterface.py",
    worker_sorter="kilosort4",
    adapt=kilosort4_settings,
    settings_source="documentation, 'When to adjust default settings'",
    needs="a GPU for speed; runs on a CPU",
    min_channels=2,
)

_MOUNTAINSORT5 = SorterSpec(
    name="mountainsort5",
    title="MountainSort 5 (scheme 2)",
    licence="Apache-2.0",
    homepage="https://github.com/flatironinstitute/mountainsort5",
    environment="mountainsort5",
    requirements=(f"{SPIKEINTERFACE} mountainsort5 numba scikit-learn",),
    package="mountainsort5",
    worker="run_spikeinterface.py",
    worker_sorter="mountainsort5",
    parameters={"scheme": "2", "whitening_seed": 0},
    settings_source="README: scheme 2 for general use, band-pass and whitening before",
)

_SPIKESIFT = SorterSpec(
    name="spikesift",
    title="SpikeSift",
    licence="MIT",
    homepage="https://spikesift.readthedocs.io",
    environment="spikesift",
    requirements=("spikesift",),
    package="spikesift",
    worker="run_spikesift.py",
    settings_source="defaults of perform_spike_sorting, which its user guide recommends",
    needs="at least 4 channels and a C compiler to install",
    min_channels=4,
)

_DARTSORT = SorterSpec(
    name="dartsort",
    title="DARTsort",
    licence="MIT",
    homepage="https://dartsort.github.io",
    environment="dartsort",
    requirements=(TORCH, f"dartsort {SPIKEINTERFACE}"),
    package="dartsort",
    worker="run_dartsort.py",
    settings_source="defaults of DARTsortUserConfig; its README does not recommend it for "
    "production yet",
    needs="a GPU for speed (it trains a network on each recording); half a minute or more",
)

_CONTAINERS = tuple(
    SorterSpec(
        name=name,
        title=title,
        licence=licence,
        homepage=f"https://github.com/{repository}",
        worker="run_spikeinterface.py",
        worker_sorter=sorter,
        image=f"embersort-bench/{name}:1",
        settings_source="defaults of its SpikeInterface wrapper",
        needs="a container engine and an NVIDIA GPU" if gpu else "a container engine",
    )
    for name, title, sorter, licence, repository, gpu in (
        ("kilosort1", "Kilosort 1", "kilosort", "GPL-2.0-only", "cortex-lab/KiloSort", True),
        ("kilosort2", "Kilosort 2", "kilosort2", "GPL-2.0-only", "MouseLand/Kilosort", True),
        ("kilosort2-5", "Kilosort 2.5", "kilosort2_5", "GPL-2.0-only", "MouseLand/Kilosort", True),
        ("kilosort3", "Kilosort 3", "kilosort3", "GPL-2.0-only", "MouseLand/Kilosort", True),
        ("ironclust", "IronClust", "ironclust", "Apache-2.0", "flatironinstitute/ironclust", False),
        (
            "spykingcircus",
            "SpyKING CIRCUS",
            "spykingcircus",
            "CECILL-2.1",
            "spyking-circus/spyking-circus",
            False,
        ),
        ("waveclus", "Wave_clus", "waveclus", "unknown", "csn-le/wave_clus", False),
        ("yass", "YASS", "yass", "Apache-2.0", "paninski-lab/yass", True),
    )
)

_SPECS = (
    SorterSpec(
        name="embersort",
        title="Embersort",
        licence="MIT",
        homepage="",
        package="embersort",
        worker="run_embersort.py",
        settings_source="defaults",
    ),
    _MOUNTAINSORT5,
    replace(
        _MOUNTAINSORT5,
        name="mountainsort5-scheme1",
        title="MountainSort 5 (scheme 1)",
        parameters={"scheme": "1", "whitening_seed": 0},
        settings_source="README: scheme 1 for quick tests",
    ),
    replace(
        _MOUNTAINSORT5,
        name="mountainsort5-scheme3",
        title="MountainSort 5 (scheme 3)",
        parameters={"scheme": "3", "whitening_seed": 0},
        settings_source="README: scheme 3 for long recordings with drift",
    ),
    SorterSpec(
        name="mountainsort4",
        title="MountainSort 4",
        licence="Apache-2.0",
        homepage="https://github.com/magland/mountainsort4",
        environment="mountainsort4",
        requirements=(f"{SPIKEINTERFACE} mountainsort4",),
        package="mountainsort4",
        worker="run_spikeinterface.py",
        worker_sorter="mountainsort4",
        adapt=mountainsort4_settings,
        settings_source="SpikeInterface's defaults; radius as in SpikeForest (eLife 9:e55167)",
    ),
    _LUPIN,
    replace(
        _LUPIN, name="spykingcircus2", title="SpyKING CIRCUS 2", worker_sorter="spykingcircus2"
    ),
    replace(_LUPIN, name="tridesclous2", title="Tridesclous 2", worker_sorter="tridesclous2"),
    replace(_LUPIN, name="simple", title="Simple", worker_sorter="simple"),
    _SPIKESIFT,
    replace(
        _SPIKESIFT,
        name="spikesift-sensitive",
        title="SpikeSift (weak spikes)",
        parameters={"detection_sensitivity": 6, "merging_threshold": 0.3},
        settings_source="user guide, 'Parameter Tuning': for weak spikes and more clusters",
    ),
    _KILOSORT4,
    replace(
        _KILOSORT4,
        name="kilosort4-4.1.4",
        title="Kilosort 4 (4.1.4)",
        environment="kilosort4-1-4",
        requirements=(TORCH, f"numpy<2.4 {SPIKEINTERFACE} kilosort==4.1.4 pandas"),
    ),
    SorterSpec(
        name="herdingspikes",
        title="HerdingSpikes 2",
        licence="GPL-3.0-only",
        homepage="https://github.com/mhhennig/HS2",
        environment="herdingspikes",
        requirements=(f"{SPIKEINTERFACE} herdingspikes six pandas",),
        package="herdingspikes",
        worker="run_herdingspikes.py",
        settings_source="defaults of its SpikeInterface wrapper, and the band-pass that its "
        "quick start lists among them",
        needs="a dense probe: it sorts by location",
        min_channels=4,
    ),
    _DARTSORT,
    replace(
        _DARTSORT,
        name="dartsort-pretrained",
        title="DARTsort (pretrained denoiser)",
        parameters={"nn_denoiser_class_name": "SingleChannelWaveformDenoiser"},
        settings_source="DARTsortUserConfig: its other denoiser, which comes trained",
        needs="",
    ),
    replace(
        _DARTSORT,
        name="dartsort-threshold",
        title="DARTsort (no network)",
        worker="run_dartsort_alone.py",
        parameters={"detection_type": "threshold", "voltage_threshold": 5.0},
        settings_source="its author's advice for doing without the network (issue 10 of its "
        "repository), in the names of its present DeveloperConfig, which may change",
        needs="",
    ),
    replace(
        _LUPIN,
        name="oracle",
        title="True templates (reference)",
        worker="run_oracle.py",
        worker_sorter="",
        gets_truth=True,
        settings_source="SpikeInterface's matching with templates from the true spikes, "
        "followed in time where the tissue moves",
    ),
    *_CONTAINERS,
)

SORTERS: dict[str, SorterSpec] = {spec.name: spec for spec in _SPECS}
"""Every known sorter by name."""


def all_sorters(home: Home) -> dict[str, SorterSpec]:
    """Return every sorter by name: the known ones, then those that the user described.

    A file of the user's that is wrong is left out with a warning.
    """
    found = dict(SORTERS)
    for path in sorted(home.sorters.glob("*.toml")):
        try:
            found.setdefault(path.stem, read_user_sorter(path))
        except BadConfig as error:
            _log.warning("%s; left out", error)
    return found


def find_sorter(name: str, home: Home) -> SorterSpec:
    """Return a sorter by name: a known one, or one that the user described in a file.

    Raises
    ------
    BadInput
        If none has that name; names the nearest.
    BadConfig
        If the user's file is wrong.
    """
    if name in SORTERS:
        return SORTERS[name]
    own = {path.stem: path for path in home.sorters.glob("*.toml")}
    if name in own:
        return read_user_sorter(own[name])
    raise BadInput(f"no sorter is named '{name}'{nearest_name(name, [*SORTERS, *own])}")
