"""Potentials of straight segments against theory."""

from __future__ import annotations

import numpy as np
import pytest

import naive_simulate as naive
from embersort.errors import BadInput
from embersort.simulate.line_source import line_source_gains

SIGMA = 0.3


def gains(positions, start, end, diameter=(1.0,)):
    return line_source_gains(
        np.array(positions, float), np.array(start, float), np.array(end, float), np.array(diameter)
    )


def test_far_away_a_line_is_a_point():
    start, end = [[0, 0, -5]], [[0, 0, 5]]
    far = np.array([[3000.0, 400.0, 100.0], [0.0, 0.0, 5000.0]])
    point = 1e3 / (4 * np.pi * SIGMA * np.linalg.norm(far, axis=1))
    assert gains(far, start, end)[:, 0] == pytest.approx(point, rel=1e-5)


def test_beside_its_middle_a_line_has_the_analytic_potential():
    # ∫ dz / sqrt(r² + z²) over ± L/2, divided by L: 2 asinh(L / 2r) / L.
    length, r = 100.0, 20.0
    expected = 1e3 * 2 * np.arcsinh(length / (2 * r)) / (4 * np.pi * SIGMA * length)
    assert gains([[r, 0, 0]], [[0, 0, -50]], [[0, 0, 50]])[0, 0] == pytest.approx(expected)


def test_one_nanoampere_ten_micrometres_away():
    # 1 nA / (4π · 0.3 S/m · 10 µm) = 26.5 µV.
    assert gains([[10, 0, 0]], [[0, 0, 0]], [[0, 0, 0]])[0, 0] == pytest.approx(26.526, abs=1e-3)


def test_many_points_along_the_line_add_up_to_the_same():
    rng = np.random.default_rng(0)
    start = rng.uniform(-50, 50, (4, 3))
    end = start + rng.uniform(-30, 30, (4, 3))
    positions = rng.uniform(60, 120, (5, 3)) * rng.choice([-1, 1], (5, 3))
    fast = line_source_gains(positions, start, end, np.ones(4))
    slow = naive.line_source_gains(positions, start, end, np.ones(4), SIGMA)
    assert fast == pytest.approx(slow, rel=1e-6)


def test_inside_a_segment_the_surface_counts():
    inside = gains([[0, 0, 0]], [[0, 0, -10]], [[0, 0, 10]], [4.0])
    surface = gains([[2, 0, 0]], [[0, 0, -10]], [[0, 0, 10]], [4.0])
    assert inside == pytest.approx(surface)


def test_ends_may_be_swapped():
    one = gains([[10, 20, 30]], [[0, 0, 0]], [[5, 40, 3]])
    other = gains([[10, 20, 30]], [[5, 40, 3]], [[0, 0, 0]])
    assert one == pytest.approx(other)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(BadInput, match="positions_um has shape"):
        gains([[1.0, 2.0]], [[0, 0, 0]], [[0, 0, 1]])
    with pytest.raises(BadInput, match="diameters"):
        gains([[1.0, 2.0, 3.0]], [[0, 0, 0]], [[0, 0, 1]], [1.0, 2.0])
