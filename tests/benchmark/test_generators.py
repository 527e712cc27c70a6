"""Recordings from simulators: the same seed gives the same content, missing ones say so."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from embersort.benchmark.generators import MEAREC_ENVIRONMENT, generate, generate_mearec
from embersort.benchmark.materialise import materialise
from embersort.benchmark.registry import choose_recordings, read_registry, shipped_entries
from embersort.benchmark.sorters.engines import WORKERS
from embersort.benchmark.sources import GeneratorSource, MearecSource
from embersort.errors import BadInput, MissingDependency

SMALL = {
    "kind": "spikeinterface",
    "duration_s": 2.0,
    "n_units": 3,
    "probe": {"num_columns": 2, "num_contact_per_column": 4, "xpitch": 20, "ypitch": 20},
}
DRIFT = {
    "displacement_sampling_frequency": 5.0,
    "drift_start_um": [0, 15],
    "drift_stop_um": [0, -15],
    "drift_step_um": 5,
    "motion_list": [{"drift_mode": "zigzag", "t_start_drift": 0.0, "period_s": 2.0}],
}
MEAREC = MearecSource(
    kind="mearec", duration_s=1.0, probe="tetrode", n_excitatory=1, n_inhibitory=1
)


def test_the_seed_decides_everything():
    def made(seed):
        recording, truth, drift_um = generate(GeneratorSource(**SMALL, seed=seed))
        assert drift_um == 0.0
        return recording.read(0, 30_000), truth

    first, truth = made(1)
    again, truth_again = made(1)
    assert first.shape == (30_000, 8)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(truth.sample_index, truth_again.sample_index)
    assert truth.n_units == 3
    assert not np.array_equal(first, made(2)[0])


def test_a_drifting_recording_knows_its_extent():
    recording, truth, drift_um = generate(GeneratorSource(**SMALL, drift=DRIFT, seed=1))
    assert drift_um == 30.0
    assert (recording.n_samples, truth.n_units) == (60_000, 3)


def test_mearec_that_is_not_installed_says_so(home, tmp_path):
    with pytest.raises(MissingDependency, match="embersort bench install mearec"):
        generate_mearec(MEAREC, home, tmp_path)


def fake_mearec(home, script):
    """An interpreter that stands in for MEArec's: it gets the worker's name and the job."""
    python = home.environments / MEAREC_ENVIRONMENT / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!{sys.executable}\n{script}")
    python.chmod(0o755)


def test_what_mearec_leaves_is_read(home, tmp_path):
    fake_mearec(
        home,
        "import json, sys, numpy as np\n"
        "job = json.load(open(sys.argv[2]))\n"
        "out = job['output']\n"
        "np.save(out + '/traces.npy', np.zeros((100, 4), 'float32'))\n"
        "np.savez(out + '/truth.npz', sample_index=[5, 9], unit_index=[1, 0], unit_ids=[0, 1],\n"
        "         sampling_rate_hz=32000.0, positions_um=np.eye(4)[:, :2], drift_um=0.0)\n"
        "json.dump(job, open(out + '/seen.json', 'w'))\n",
    )
    recording, truth, _ = generate_mearec(MEAREC, home, tmp_path)
    assert (recording.n_samples, recording.sampling_rate_hz) == (100, 32_000.0)
    assert truth.sample_index.tolist() == [5, 9]
    assert json.loads((tmp_path / "seen.json").read_text())["n_excitatory"] == 1


def test_mearec_that_fails_is_quoted(home, tmp_path):
    fake_mearec(home, "raise SystemExit('no such probe')\n")
    with pytest.raises(BadInput, match="MEArec failed: no such probe"):
        generate_mearec(MEAREC, home, tmp_path)


def test_contacts_in_any_plane_of_mearec_become_flat():
    """Its worker runs in another environment: here with a stand-in for MEArec."""
    script = f"""
import sys, types
sys.path.insert(0, {str(WORKERS)!r})
sys.modules["MEArec"] = types.ModuleType("MEArec")
import numpy as np
from make_mearec import flat_positions
tetrode = np.array([[-8, -8, 0], [-8, 8, 0], [8, -8, 0]])
columns = np.array([[0, -18, -117], [0, -18, -92], [0, 18, -80]])
print(flat_positions(tetrode).tolist(), flat_positions(columns).tolist())
"""
    call = [sys.executable, "-c", script]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    flat = "[[-8, -8], [-8, 8], [8, -8]] [[-18, -117], [-18, -92], [18, -80]]"
    assert done.stdout.strip() == flat


@pytest.mark.parametrize(
    ("study_set", "n_channels", "n_units"),
    [
        ("SYNTH_MAGLAND", 4, 10),
        ("SYNTH_MONOTRODE", 1, 3),
        ("SYNTH_BIONET", 60, 80),
        ("LONG_STATIC", 8, 8),
        ("LONG_DRIFT", 8, 8),
        ("HYBRID_JANELIA_LIKE", 4, 10),
    ],
)
def test_a_recording_of_each_simulated_set_is_made(home, study_set, n_channels, n_units):
    """Its first recording, cut to two seconds and otherwise as the entry says."""
    first = choose_recordings(read_registry([shipped_entries()]), [study_set])[0]
    source = first.entry.source
    cut = {"duration_s": 2.0}
    if source.kind == "scene":
        cut = {"scene": {**source.scene, **cut}}
    entry = first.entry.model_copy(update={"source": source.model_copy(update=cut)})
    stored = materialise(replace(first, entry=entry), home)
    assert (stored.n_channels, stored.truth().n_units) == (n_channels, n_units)
    assert (stored.drift_um > 0) == (study_set == "LONG_DRIFT")
