"""Probes as they come: by name, standing in space, in other units, without wiring."""

import logging

import numpy as np
import probeinterface
import pytest

from embersort.errors import BadInput
from embersort.recording.layout import in_micrometres, in_plane
from embersort.recording.probes import wiring_for

COLUMN = np.stack([np.zeros(8), 20.0 * np.arange(8)], axis=1)


def probe_of(positions, **wiring):
    probe = probeinterface.Probe(ndim=positions.shape[1], si_units="um")
    axes = np.tile(np.eye(2, positions.shape[1]), (len(positions), 1, 1))
    probe.set_contacts(positions=positions, plane_axes=axes, shape_params={"radius": 5})
    if wiring.get("wired", True):
        probe.set_device_channel_indices(np.arange(len(positions)))
    return probe


@pytest.mark.parametrize("constant_axis", [0, 1, 2])
@pytest.mark.parametrize("level", [0.0, -130.0])
def test_a_flat_probe_is_flat_however_it_stands(constant_axis, level):
    staggered = COLUMN + [[16, 0], [0, 0]] * 4
    standing = np.insert(staggered, constant_axis, level, axis=1)
    geometry = wiring_for(probe_of(standing), 8).geometry
    np.testing.assert_array_equal(geometry.positions_um, staggered)
    assert not geometry.shank_index.any()


def test_a_column_along_any_axis_keeps_its_distances():
    for axis in range(3):
        standing = np.zeros((8, 3))
        standing[:, axis] = COLUMN[:, 1]
        distances = wiring_for(probe_of(standing), 8).geometry.distances_um()
        np.testing.assert_allclose(distances[0], COLUMN[:, 1])


def test_the_two_faces_of_a_probe_are_sides_of_their_own(caplog):
    staggered = COLUMN + [[16, 0], [0, 0]] * 4
    front = np.insert(staggered, 1, 0.0, axis=1)
    back = np.insert(staggered, 1, 25.0, axis=1)
    geometry = wiring_for(probe_of(np.concatenate([front, back])), 16).geometry
    np.testing.assert_array_equal(geometry.shank_index, np.repeat([0, 1], 8))
    np.testing.assert_array_equal(geometry.positions_um, np.concatenate([staggered, staggered]))
    assert "2 planes of constant y" in caplog.text


def test_a_tilted_plane_keeps_its_distances():
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    flat = np.concatenate([COLUMN, COLUMN + np.array([30.0, 10.0])])
    layout = in_plane(np.insert(flat, 2, 0.0, axis=1) @ turn)
    before = np.linalg.norm(flat[:, None] - flat[None], axis=2)
    after = np.linalg.norm(layout.positions_um[:, None] - layout.positions_um[None], axis=2)
    np.testing.assert_allclose(after, before, atol=1e-9)


def test_contacts_in_no_plane_are_projected_with_a_word(caplog):
    cloud = np.random.default_rng(1).uniform(0, [30, 60, 300], (12, 3))
    geometry = wiring_for(probe_of(cloud), 12).geometry
    assert geometry.positions_um.shape == (12, 2)
    assert np.corrcoef(geometry.positions_um[:, 1], cloud[:, 2])[0, 1] > 0.9
    assert "lie in no plane" in caplog.text


@pytest.mark.parametrize(("factor", "unit"), [(1e-3, "millimetres"), (1e-6, "metres")])
def test_other_units_are_recognised(factor, unit, caplog):
    np.testing.assert_allclose(
        wiring_for(probe_of(COLUMN * factor), 8).geometry.positions_um, COLUMN
    )
    assert unit in caplog.text


def test_units_that_make_no_probe_are_refused():
    with pytest.raises(BadInput, match="nearer than contacts can be"):
        in_micrometres(COLUMN * 1e-12)
    with pytest.raises(BadInput, match="more than any probe's"):
        in_micrometres(COLUMN * 1e4)


def test_wiring_in_file_order_is_said(caplog):
    wiring_for(probe_of(COLUMN, wired=False), 8)
    assert "does not say which channel" in caplog.text
    caplog.clear()
    wiring_for(probe_of(COLUMN), 8)
    assert not caplog.records


@pytest.mark.parametrize(
    ("name", "n_recorded", "n_contacts"),
    [
        *(("neuropixels1", n, 384) for n in (384, 385)),
        ("np2-4shank", 385, 384),
        ("NP2000", 384, 384),
        ("utah", 96, 96),
    ],
)
def test_probes_by_name(name, n_recorded, n_contacts):
    geometry = wiring_for(name, n_recorded).geometry
    assert geometry.n_channels == n_contacts
    nearest = geometry.distances_um()
    nearest = nearest[nearest > 0].min()
    assert nearest == (
        400 if name == "utah" else 15 if "2" in name else pytest.approx(25.6, abs=0.1)
    )


def test_a_name_that_is_none_is_answered_with_the_nearest():
    with pytest.raises(BadInput, match="did you mean 'neuropixels1'"):
        wiring_for("neuropixel1", 384)
    with pytest.raises(BadInput, match="Embersort uses no network"):
        wiring_for("cambridgeneurotech/no-such-probe", 64)


def test_a_made_up_column_for_385_channels_is_said(caplog):
    caplog.set_level(logging.WARNING)
    wiring_for("linear:20", 385)
    assert "Neuropixels files hold 384 channels and one of synchronisation" in caplog.text
