"""Scenes from TOML, families, hybrids, files; and what is wrong with a scene is said."""

from __future__ import annotations

import numpy as np
import pytest

from embersort.config import Config
from embersort.errors import BadConfig, BadInput
from embersort.recording import ArrayRecording, load_sorting, open_recording
from embersort.simulate import (
    FAMILIES,
    Injection,
    Scene,
    family_scene,
    inject,
    simulate,
    write_simulation,
)
from embersort.simulate.files import to_toml
from embersort.simulate.hybrid import moved_template
from embersort.simulate.pictures import write_pictures
from embersort.simulate.probes import ProbeConfig, build_geometry
from embersort.types import Geometry, Templates

TINY = {"duration_s": 1.0, "cells": {"n_units": 3}, "probe": {"n_channels": 4}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("duration = 5", "unknown name 'duration'; did you mean 'duration_s'"),
        ("[cells]\nn_unit = 5", "unknown name 'cells.n_unit'; did you mean 'n_units'"),
        ("duration_s = -1.0", "'duration_s' is -1.0"),
        ("[probe]\nn_channels = 0", "'probe.n_channels' is 0"),
        ('[probe]\nkind = "tetrod"', "'probe.kind' is 'tetrod'"),
        ("[cells]\nmin_snr = 30.0", "max_snr is less than min_snr"),
        ("[placement]\nmin_depth_um = 500.0", "max_depth_um is less"),
        ("[noise]\nlevel_uv = nan", "'noise.level_uv' is nan"),
        ("[", "not valid TOML"),
    ],
)
def test_what_is_wrong_with_a_scene_is_named(tmp_path, text, message):
    (tmp_path / "scene.toml").write_text(text)
    with pytest.raises(BadConfig) as error:
        Scene.from_toml(tmp_path / "scene.toml")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        ({"kind": "file", "file": "nowhere.json"}, "not a file"),
        ({"kind": "columns", "n_channels": 2, "n_columns": 3}, "n_columns is 3"),
    ],
)
def test_impossible_probes_are_refused(probe, message):
    with pytest.raises((BadConfig, BadInput), match=message):
        simulate(Scene.parse({**TINY, "probe": probe}))


def test_a_probe_file_without_contacts_is_refused(tmp_path):
    path = tmp_path / "probe.json"
    path.write_text('{"specification": "probeinterface", "version": "0.2.21", "probes": []}')
    with pytest.raises(BadInput, match="probe"):
        simulate(Scene.parse({**TINY, "probe": {"kind": "file", "file": str(path)}}))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"kind": "single"}, [[0, 0]]),
        ({"kind": "tetrode", "pitch_um": 20}, [[-10, 0], [0, -10], [10, 0], [0, 10]]),
        ({"kind": "linear", "n_channels": 3, "pitch_um": 20}, [[0, 0], [0, 20], [0, 40]]),
        (
            {"kind": "columns", "n_channels": 4, "pitch_um": 40, "column_pitch_um": 16},
            [[0, 0], [16, 20], [0, 40], [16, 60]],
        ),
        (
            {"kind": "grid", "n_channels": 4, "n_columns": 2, "pitch_um": 30},
            [[0, 0], [30, 0], [0, 30], [30, 30]],
        ),
        (
            {"kind": "polytrode", "n_channels": 3, "pitch_um": 20, "column_pitch_um": 18},
            [[0, 0], [18, 10], [36, 0]],
        ),
    ],
)
def test_probes_by_hand(config, expected):
    assert build_geometry(ProbeConfig(**config)).positions_um.tolist() == expected


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("difficulty", [0.0, 0.5, 1.0])
def test_every_family_at_every_difficulty_is_a_scene(family, difficulty):
    scene = family_scene(family, difficulty, seed=3)
    assert isinstance(scene, Config)
    assert scene.seed == 3


def test_the_dial_makes_it_harder():
    easy, hard = family_scene("noise", 0.1), family_scene("noise", 0.9)
    assert easy.cells.min_snr > hard.cells.max_snr
    easy, hard = family_scene("drift", 0.0), family_scene("drift", 1.0)
    assert easy.drift.amplitude_um == 0
    assert hard.drift.amplitude_um == 50
    assert family_scene("large-array", 1.0).probe.n_channels == 1024


def test_overlaps_grow_with_the_dial():
    shares = []
    for difficulty in (0.0, 0.5, 1.0):
        scene = family_scene("overlap", difficulty).model_copy(update={"duration_s": 20.0})
        shares.append(simulate(scene).truth.spike_overlaps.mean())
    assert shares[0] < shares[1] < shares[2]
    assert shares[2] > 0.5


@pytest.mark.parametrize(
    ("family", "difficulty", "message"),
    [("drfit", 0.5, "did you mean 'drift'"), ("drift", 1.5, "difficulty is 1.5")],
)
def test_impossible_families_are_refused(family, difficulty, message):
    with pytest.raises(BadConfig, match=message):
        family_scene(family, difficulty)


def test_ingredients_have_streams_of_their_own():
    plain = simulate(Scene.parse(TINY), seed=1)
    louder = simulate(Scene.parse({**TINY, "noise": {"hum_uv": 5.0}}), seed=1)
    assert np.array_equal(plain.truth.sorting.sample_index, louder.truth.sorting.sample_index)
    assert np.array_equal(plain.truth.unit_position_um, louder.truth.unit_position_um)


@pytest.mark.parametrize("uv_per_count", [0.0, 0.195])
def test_a_simulation_comes_back_from_disk(tmp_path, uv_per_count):
    scene = Scene.parse({**TINY, "adc": {"uv_per_count": uv_per_count}})
    simulation = simulate(scene)
    write_simulation(simulation, tmp_path / "out")
    back = open_recording(tmp_path / "out" / "recording")
    assert back.read(0, 30000) == pytest.approx(simulation.recording.read(0, 30000), abs=1e-3)
    assert back.geometry.positions_um == pytest.approx(simulation.recording.geometry.positions_um)
    for place in (tmp_path / "out", tmp_path / "out" / "truth"):
        sorting = load_sorting(place)
        assert np.array_equal(sorting.sample_index, simulation.truth.sorting.sample_index)
        assert np.array_equal(sorting.unit_index, simulation.truth.sorting.unit_index)
    assert Scene.from_toml(tmp_path / "out" / "scene.toml") == scene
    with pytest.raises(BadInput, match="exists"):
        write_simulation(simulation, tmp_path / "out")


def test_toml_by_hand():
    values = {"a": 'say "no"', "b": True, "c": {"d": 0.5, "e": ("x", "y")}}
    assert to_toml(values) == 'a = "say \\"no\\""\nb = true\n\n[c]\nd = 0.5\ne = ["x", "y"]\n'


@pytest.fixture(scope="module")
def base():
    rng = np.random.default_rng(0)
    traces = rng.normal(0, 8, (45000, 8)).astype(np.float32)
    positions = np.column_stack([np.zeros(8), 20.0 * np.arange(8)])
    return ArrayRecording(
        traces=traces, sampling_rate_hz=15000.0, geometry=Geometry(positions_um=positions)
    )


def test_a_hybrid_is_the_recording_plus_the_units(base):
    none = inject(base, Injection.parse({"cells": {"n_units": 0}}))
    assert np.array_equal(none.recording.read(0, 45000), base.read(0, 45000))
    some = inject(base, Injection.parse({"cells": {"n_units": 4, "min_snr": 10}}))
    added = some.recording.read(0, 45000) - base.read(0, 45000)
    assert added.min() < -50
    assert some.truth.sorting.n_samples == 45000
    silent = np.ones(45000, bool)
    for sample in some.truth.sorting.sample_index:
        silent[max(sample - 30, 0) : sample + 60] = False
    assert silent.any()
    assert not added[silent].any()


def test_donated_templates_move_and_keep_their_shape(base):
    waveforms = np.zeros((1, 40, 8), np.float32)
    wave = -np.exp(-0.5 * ((np.arange(40) - 15) / 2) ** 2)
    waveforms[0, :, 2:5] = wave[:, None] * [40, 100, 40]
    donors = Templates(waveforms_uv=waveforms, n_before=15)
    settings = {"cells": {"n_units": 6, "min_snr": 5, "max_snr": 15}}
    simulation = inject(base, Injection.parse(settings), donors=donors)
    shapes = simulation.truth.templates.waveforms_uv
    peaks = simulation.truth.unit_peak_channel
    assert len(set(peaks.tolist())) > 1
    for shape, peak in zip(shapes, peaks, strict=True):
        assert shape[15, peak - 1] / shape[15, peak] == pytest.approx(0.4, abs=1e-3)
    assert (simulation.truth.unit_snr >= 5).all()
    with pytest.raises(BadConfig, match=r"drift\.kind"):
        inject(base, Injection.parse({"drift": {"kind": "ramp"}}), donors=donors)
    few = Templates(waveforms_uv=waveforms[:, :, :5], n_before=15)
    with pytest.raises(BadInput, match="5 channels"):
        inject(base, Injection(), donors=few)


def test_a_template_that_fits_nowhere_else_stays():
    template = np.ones((5, 3))
    geometry = Geometry(positions_um=np.array([[0.0, 0], [0, 20], [0, 55]]))
    assert np.array_equal(moved_template(template, geometry, np.random.default_rng(0)), template)


def test_real_noise_is_added_round_and_round(tmp_path):
    short = {**TINY, "duration_s": 0.5}
    write_simulation(simulate(Scene.parse(short)), tmp_path / "noise")
    real = open_recording(tmp_path / "noise" / "recording")
    values = {
        **TINY,
        "cells": {"n_units": 0},
        "background": {"per_channel": 0.0},
        "noise": {"level_uv": 0.0, "file": str(tmp_path / "noise" / "recording")},
    }
    traces = simulate(Scene.parse(values)).recording.read(0, 30000)
    assert np.array_equal(traces[:15000], real.read(0, 15000))
    assert np.array_equal(traces[15000:], real.read(0, 15000))
    with pytest.raises(BadInput, match="Hz"):
        simulate(Scene.parse({**values, "sampling_rate_hz": 20000.0}))
    with pytest.raises(BadInput, match="4 channels"):
        simulate(Scene.parse({**values, "probe": {"n_channels": 5}}))


def test_pictures_of_any_scene(tmp_path):
    simulation = simulate(Scene.parse(TINY))
    write_pictures(simulation, tmp_path / "pictures.html")
    page = (tmp_path / "pictures.html").read_text("utf-8")
    assert "Templates at the contacts" in page
    assert 'src="http' not in page
    empty = Scene.parse({**TINY, "cells": {"n_units": 0}, "probe": {"kind": "single"}})
    write_pictures(simulate(empty), tmp_path / "pictures.html")
