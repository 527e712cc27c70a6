"""Whatever is opened, set or sorted: a result, or one sentence of what, where and how to go on.

200 cases here, 5,000 by ``make fuzz``. A traceback of any other kind fails the case.
"""

from __future__ import annotations

import json
import re
import shutil
import warnings
from pathlib import Path

import hostile
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spoiling import ODD_NUMBERS, fuzz, spoilt_bytes, spoilt_file

from embersort.config import SortConfig
from embersort.errors import EmbersortError

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


def bearable(run, *, names: Path | None = None):
    """Run; an error of the user's is looked at, any other is a failure."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return run()
    except EmbersortError as error:
        text = str(error)
        assert 15 < len(text) < 2000, text
        assert names is None or names.name in text, text
        assert not re.search(r"object at 0x|Traceback", text), text
        return None


@pytest.fixture(scope="module")
def result(place):
    """Write a healthy result of three units."""
    from embersort.output import write_result
    from embersort.types import Geometry, Sorting, SortResult, Templates

    rng = np.random.default_rng(0)
    sorting = Sorting(
        sample_index=np.arange(100, 600, 100),
        unit_index=[0, 1, 2, 1, 0],
        unit_ids=[1, 2, 7],
        sampling_rate_hz=30_000,
        n_samples=1000,
    )
    made = SortResult(
        sorting=sorting,
        templates=Templates(waveforms_uv=rng.normal(size=(3, 60, 4)), n_before=20),
        geometry=Geometry(positions_um=[[0, 0], [0, 20], [0, 40], [0, 60]]),
        spike_amplitude=-np.ones(5),
        spike_probability=np.ones(5),
        spike_position_um=np.ones((5, 2)),
        embedding=np.zeros((5, 3)),
        unit_table={"snr": np.ones(3), "label": np.array(["good", "mua", ""])},
        timings_s={"detecting": 1.0},
        provenance={"version": "0", "recording": {"path": "x"}, "parameters": {}},
    )
    return write_result(made, place / "result")


@fuzz
@given(st.data())
def test_broken_results(result, data):
    from embersort.output import read_result
    from embersort.recording import load_sorting

    copy = result.with_name("broken")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(result, copy)
    files = ["run.json", "spikes.npz", "templates.npz", "units.csv", "sorting/spikes.npy"]
    name = data.draw(st.sampled_from([*files, "sorting/numpysorting_info.json"]))
    (copy / name).write_bytes(data.draw(spoilt_file(result / name)))
    bearable(lambda: read_result(copy), names=copy)
    bearable(lambda: load_sorting(copy), names=copy)
    bearable(lambda: load_sorting(copy / "sorting"), names=copy / "sorting")


@pytest.fixture(scope="module")
def files(place):
    """Write healthy recordings of every plain kind."""
    folder = place / "files"
    hostile.saved_recording(folder / "saved")
    hostile.saved_zarr(folder / "saved.zarr", folder / "saved")
    np.save(folder / "a.npy", np.zeros((3000, 4), np.float32))
    return folder


FILES = ("a.npy", "saved/binary.json", "saved/probegroup.json", "saved/properties/gain_to_uV.npy")
ZARR = ("saved.zarr/.zattrs", "saved.zarr/traces_seg0/.zarray", "saved.zarr/channel_ids/.zarray")


@fuzz
@given(st.data())
def test_broken_files(files, data):
    from embersort.recording import open_recording

    copy = files.with_name("broken-files")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(files, copy)
    name = data.draw(st.sampled_from([*FILES, *ZARR]))
    spoilt = data.draw(spoilt_bytes((files / name).read_bytes()) | spoilt_file(files / name))
    (copy / name).write_bytes(spoilt)
    (copy / "saved.zarr/.zmetadata").unlink(missing_ok=True)
    plain = {"sampling_rate_hz": data.draw(ODD_NUMBERS | st.just(30_000)), "probe": "tetrode"}

    def read():
        options = plain if name == "a.npy" else {}
        recording = open_recording(copy / name.split("/")[0], **options)
        recording.read(0, min(100, recording.n_samples))

    bearable(read)


PRB = (
    "channel_groups = {0: {'channels': [0, 1, 2], 'geometry': {0: (0, 0), 1: (0, 20), 2: (0, 40)}}}"
)
PIECES = ("None", "[]", "{}", "()", "'x'", "-1", "2**70", "1e400", "range(9)", "True", "[[1]]", "0")


@fuzz
@given(st.data())
def test_broken_probes(files, place, data):
    from embersort.recording.probes import wiring_for

    if data.draw(st.booleans()):
        path = place / "probe.json"
        path.write_bytes(data.draw(spoilt_file(files / "saved/probegroup.json")))
    else:
        path = place / "probe.prb"
        found = list(re.finditer(r"\d+|\[[^\]]*\]|\([^)]*\)|'\w+'", PRB))
        at = data.draw(st.sampled_from(found))
        path.write_text(PRB[: at.start()] + data.draw(st.sampled_from(PIECES)) + PRB[at.end() :])
    bearable(lambda: wiring_for(path, data.draw(st.sampled_from([1, 3, 4]))))


@st.composite
def odd_settings(draw):
    """Draw one or two settings of the sort with values that nobody means."""
    values: dict = {}
    for _ in range(draw(st.integers(1, 2))):
        section = draw(st.sampled_from(sorted(SortConfig.model_fields)))
        stage = SortConfig.model_fields[section].annotation
        key = draw(st.sampled_from(sorted(stage.model_fields)))
        odd = ODD_NUMBERS | st.sampled_from([1e-9, 1e-3, 0.5, 3, 50, 1e4, 1e6, True, "", [], {}])
        values.setdefault(section, {})[key] = draw(odd)
    return values


def small(n_samples: int = 9_000, n_channels: int = 4) -> np.ndarray:
    rng = np.random.default_rng(0)
    traces = rng.normal(0, 10, (n_samples, n_channels)).astype(np.float32)
    for sample in range(200, n_samples - 200, 317):
        traces[sample : sample + 12] -= np.hanning(12)[:, None] * [200, 120, 60, 20][:n_channels]
    return traces


COLUMN = [[0.0, 20.0 * i] for i in range(4)]


@fuzz
@given(odd_settings())
def test_odd_settings(values):
    from embersort import sort

    json.dumps(values)
    bearable(
        lambda: sort(
            small(),
            SortConfig.parse({"run": {"n_workers": 1}, **values}),
            sampling_rate_hz=30_000,
            positions_um=COLUMN,
        )
    )


@st.composite
def odd_recordings(draw):
    """Draw traces, rate and positions at the edges of what is a recording."""
    n_channels = draw(st.sampled_from([1, 2, 4]))
    traces = small(draw(st.sampled_from([1, 2, 50, 3_000, 9_000])), n_channels).astype(np.float64)
    way = draw(
        st.sampled_from(["as it is", "scaled", "filled", "spotted", "tiled", "silent", "step"])
    )
    if way == "scaled":
        traces *= draw(st.sampled_from([1e-310, 1e-40, 1e-20, 1e10, 1e30, 1e300, -1.0]))
    elif way == "filled":
        traces[:] = draw(ODD_NUMBERS)
    elif way == "spotted":
        traces[:: draw(st.sampled_from([1, 2, 7, 1000]))] = draw(ODD_NUMBERS)
    elif way == "tiled":
        traces = np.tile(traces[: max(1, len(traces) // 5)], (5, 1))
    elif way == "silent":
        traces[:, draw(st.integers(0, n_channels - 1))] = 0
    elif way == "step":
        traces[len(traces) // 2 :] += draw(st.sampled_from([1e3, -1e6, 1e30]))
    dtype = draw(st.sampled_from(["f4", "f8", "i2", "u2", "f2", ">i4"]))
    with np.errstate(all="ignore"):
        traces = traces.astype(dtype)
    positions = np.array(COLUMN)[:n_channels] * draw(
        st.sampled_from([1.0, 0.0, 1e-9, 1e-3, 1e3, 1e6, 1e300])
    ) + draw(st.sampled_from([0.0, 1e6, -1e8, 1e12]))
    rate_hz = draw(st.sampled_from([30_000, 1_000, 999, 2_500, 96_000, 1e9, 0, np.nan]))
    return traces, rate_hz, positions


@fuzz
@given(odd_recordings())
def test_odd_recordings(drawn):
    from embersort import sort

    traces, rate_hz, positions = drawn
    config = SortConfig.parse({"run": {"n_workers": 1}})
    bearable(lambda: sort(traces, config, sampling_rate_hz=rate_hz, positions_um=positions))
