"""How like real spikes the bank's are: widths, asymmetry, decay; printed and drawn.

    python benchmarks/simulate_faithful.py WAVEFORMS CURRENTS [--plot faithful.svg]

WAVEFORMS is a folder with wavemap_macaque_pmd.npz (625 mean waveforms of single channels, 30 kHz)
and ca1_8contact_shank.npz (16 units); CURRENTS a folder of cells of other people's models.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfilt

from embersort.simulate.band import band_pass
from embersort.simulate.cell_bank import load_bank, load_cells
from embersort.simulate.placement import PlacementConfig, draw_rotation
from embersort.simulate.probes import ProbeConfig, build_geometry
from embersort.simulate.templates import PlacedCell, local_templates, resample_at

RATE_HZ = 30000.0
DRAWS_PER_CELL = 3
DEPTH_UM = (10.0, 50.0)
FINE = 8
COLOURS = ("#0072b2", "#56b4e9", "#000000", "#777777", "#d55e00", "#e69f00")
BINS = {
    "trough_to_peak_ms": np.linspace(0.05, 1.25, 25),
    "half_width_ms": np.linspace(0.05, 0.6, 23),
    "peak_over_trough": np.linspace(0, 1, 21),
    "asymmetry": np.linspace(-1, 1, 21),
    "second_over_first": np.linspace(0, 1, 21),
    "fourth_over_first": np.linspace(0, 1, 21),
}


def shape_of(wave: np.ndarray, rate_hz: float) -> dict[str, float]:
    """Return width, half width, ratio and asymmetry of one channel's spike, trough down."""
    fine = resample_at(wave[:, None], np.arange(0, len(wave) - 1, 1 / FINE), cutoff=1.0)[:, 0]
    rate = rate_hz * FINE / 1e3
    trough = int(np.argmin(fine))
    after, before = fine[trough:], fine[: trough + 1]
    below = fine < fine[trough] / 2
    left = trough - np.argmin(below[: trough + 1][::-1]) if not below[:trough].all() else 0
    right = trough + np.argmin(below[trough:]) if not below[trough:].all() else len(fine) - 1
    height = -fine[trough]
    later, earlier = max(after.max(), 0) / height, max(before.max(), 0) / height
    return {
        "trough_to_peak_ms": int(np.argmax(after)) / rate,
        "half_width_ms": (right - left) / rate,
        "peak_over_trough": later,
        "asymmetry": (later - earlier) / max(later + earlier, 1e-9),
    }


def cells_as_recorded(cells, seed: int, *, causal: bool = False) -> dict[str, np.ndarray]:
    """Place cells at random beside an 8-contact, 20 µm staggered shank; measure each.

    ``causal``: filtered forward only, high-pass at 250 Hz, and cut from 0.4 ms before to 1.2 ms
    after the trough, as the macaque recordings probably were; else 300–6000 Hz, zero phase.
    """
    online = butter(4, 250.0, "highpass", fs=RATE_HZ, output="sos")
    rng = np.random.default_rng(seed)
    shank = ProbeConfig(n_channels=8, pitch_um=40.0, n_columns=2, column_pitch_um=20.0)
    geometry = build_geometry(shank)
    middle = geometry.positions_um.mean(axis=0)
    everywhere = np.arange(geometry.n_channels)
    rows = []
    for cell in cells:
        for _ in range(DRAWS_PER_CELL):
            offset = rng.uniform([-20, -50], [20, 50])
            placed = PlacedCell(
                cell=cell,
                position_um=np.append(middle + offset, rng.uniform(*DEPTH_UM)),
                rotation=draw_rotation(PlacementConfig(upright=bool(rng.random() < 0.5)), rng),
            )
            wave = local_templates(placed, geometry, everywhere, RATE_HZ, np.zeros(1), 1)[0, 0]
            padded = np.pad(wave, ((200, 200), (0, 0)))
            wave = sosfilt(online, padded, axis=0) if causal else band_pass(padded, RATE_HZ)
            peak = int(wave.min(axis=0).argmin())
            if causal:
                trough = int(wave[:, peak].argmin())
                wave = wave[trough - 12 : trough + 36]
            if wave.max() <= -wave.min():
                rows.append({**shape_of(wave[:, peak], RATE_HZ), **_spread(np.ptp(wave, axis=0))})
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def decay_um(cells) -> np.ndarray:
    """Return for each cell the distance at which its spike has half the size it has at 20 µm.

    Size: the median, over eight directions across the apical axis, of peak to peak.
    """
    angle = np.arange(8) * np.pi / 4
    ring = np.column_stack([np.cos(angle), np.zeros(8), np.sin(angle)])
    distances = np.arange(20.0, 121.0, 5.0)
    halves = []
    for cell in cells:
        sizes = np.array(
            [np.median(np.ptp(cell.potentials_uv(d * ring), axis=0)) for d in distances]
        )
        small = np.flatnonzero(sizes < sizes[0] / 2)
        halves.append(distances[small[0]] if len(small) else distances[-1])
    return np.array(halves)


def real_single_channels(path: Path) -> dict[str, np.ndarray]:
    """Measure mean waveforms of single channels."""
    waves = np.load(path)["waveforms"].astype(float)
    rows = [shape_of(w, RATE_HZ) for w in waves if w.max() <= -w.min()]
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def real_shank(path: Path) -> dict[str, np.ndarray]:
    """Measure the templates of an 8-contact shank."""
    file = np.load(path)
    rate_hz = float(file["fs"])
    rows = []
    for unit in file["templates"].astype(float):
        unit = unit - unit[:, :2].mean(axis=1, keepdims=True)
        padded = np.pad(unit.T, ((100, 100), (0, 0)), mode="edge")
        wave = band_pass(padded, rate_hz)[100:-100]
        peak = int(wave.min(axis=0).argmin())
        rows.append({**shape_of(wave[:, peak], rate_hz), **_spread(np.ptp(wave, axis=0))})
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def overlap(a: np.ndarray, b: np.ndarray, bins: np.ndarray) -> float:
    """Return the shared area of two histograms of area 1; values beyond count at the ends."""
    parts = [np.histogram(np.clip(x, bins[0], bins[-1]), bins)[0] / len(x) for x in (a, b)]
    return float(np.minimum(*parts).sum())


def main() -> None:
    """Print the table; draw the distributions if asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("waveforms", type=Path)
    parser.add_argument("currents", type=Path)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    bank, others = load_bank(), load_cells(options.currents)
    cortex = [cell for cell in others if cell.family == "allen"]
    retina = [cell for cell in others if cell.family == "rgc"]
    sets = {
        "bank": cells_as_recorded(bank, 1),
        "bank, causal filter": cells_as_recorded(bank, 1, causal=True),
        "real, macaque cortex": real_single_channels(options.waveforms / "wavemap_macaque_pmd.npz"),
        "real, mouse CA1": real_shank(options.waveforms / "ca1_8contact_shank.npz"),
        "models, cortex": cells_as_recorded(cortex, 2),
        "models, retina": cells_as_recorded(retina, 3),
    }
    heads = "".join(f"{head:>6}" for head in ("5 %", "25 %", "50 %", "75 %", "95 %"))
    print(f"{'':20}{'set':24}{'n':>5}  {heads}  overlap   causal")
    for measure, bins in BINS.items():
        for name, values in sets.items():
            if measure not in values:
                continue
            quantiles = np.percentile(values[measure], [5, 25, 50, 75, 95])
            shared = overlap(sets["bank"][measure], values[measure], bins)
            text = "".join(f"{q:6.2f}" for q in quantiles)
            causal = overlap(sets["bank, causal filter"][measure], values[measure], bins)
            last = "" if name.startswith("bank") else f"{shared:9.2f}{causal:9.2f}"
            print(f"{measure:20}{name:24}{len(values[measure]):5}  {text}{last}")
    for name, cells in (("bank", bank), ("models, cortex", cortex), ("models, retina", retina)):
        quantiles = np.percentile(decay_um(cells), [5, 25, 50, 75, 95])
        print(
            f"{'half_size_um':20}{name:24}{len(cells):5}  "
            + "".join(f"{q:6.0f}" for q in quantiles)
        )
    if options.plot:
        _plot(sets, options.plot)


def _spread(size: np.ndarray) -> dict[str, float]:
    ranked = np.sort(size)[::-1] / size.max()
    return {"second_over_first": ranked[1], "fourth_over_first": ranked[3]}


def _plot(sets, path: Path) -> None:
    """Draw every measure's distribution as steps, one panel each, into an SVG file."""
    width, height, gap = 300, 170, 45
    colours = dict(zip(sets, COLOURS, strict=True))
    parts = []
    for i, (measure, bins) in enumerate(BINS.items()):
        left, top = gap + (i % 3) * (width + gap), gap + (i // 3) * (height + 2 * gap)
        parts.append(_text(left, top - 8, measure.replace("_", " ")))
        parts.append(
            f'<rect x="{left}" y="{top}" width="{width}" height="{height}" '
            'fill="none" stroke="#bbb"/>'
        )
        parts.append(_text(left, top + height + 14, f"{bins[0]:g}"))
        parts.append(_text(left + width - 24, top + height + 14, f"{bins[-1]:g}"))
        shares = {
            name: np.histogram(np.clip(v[measure], bins[0], bins[-1]), bins)[0] / len(v[measure])
            for name, v in sets.items()
            if measure in v
        }
        highest = max(share.max() for share in shares.values())
        edges = left + width * (bins - bins[0]) / (bins[-1] - bins[0])
        for name, share in shares.items():
            y = top + height * (1 - share / highest)
            points = " ".join(
                f"{low:.1f},{level:.1f} {high:.1f},{level:.1f}"
                for low, high, level in zip(edges[:-1], edges[1:], y, strict=True)
            )
            wide = 2.5 if name == "bank" else 1.2
            parts.append(
                f'<polyline points="{points}" fill="none" stroke="{colours[name]}" '
                f'stroke-width="{wide}"/>'
            )
    for i, (name, colour) in enumerate(colours.items()):
        parts.append(_text(gap + 165 * i, 2 * (height + 2 * gap) + 20, name, colour))
    body = "\n".join(parts)
    size = f'viewBox="0 0 {3 * (width + gap) + gap} {2 * (height + 2 * gap) + 40}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">'
    background = '<rect width="100%" height="100%" fill="#fff"/>'
    path.write_text(f"{head}\n{background}\n{body}\n</svg>\n", "utf-8")


def _text(x: float, y: float, words: str, colour: str = "#222") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="13" fill="{colour}">{words}</text>'


if __name__ == "__main__":
    main()
