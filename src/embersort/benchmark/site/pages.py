"""Data of pages that must be read from traces: made once, then kept in the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from embersort.benchmark.exchange import StoredRecording, read_sorting
from embersort.benchmark.hashing import hash_file, hash_json
from embersort.benchmark.home import Home
from embersort.benchmark.site.counts import CountsRecording
from embersort.benchmark.site.model import plain_json
from embersort.benchmark.site.recording_data import pack_recording
from embersort.benchmark.site.result_data import result_data
from embersort.benchmark.store import Store

PAGE_STAGE = "pages"
PAGE_VERSION = 1
"""Raised when what these pages hold changes: then they are made anew, and nothing else is."""


def recording_page(stored: StoredRecording, home: Home) -> dict[str, Any]:
    """Return what a recording's page shows of its traces and true units (``pack_recording``)."""
    key = hash_json({"version": PAGE_VERSION, "recording": stored.content})
    store = Store(folder=home.results)
    found = store.find(PAGE_STAGE, key)
    if found is None:
        page = {"packs": {"recording": pack_recording(stored)}}
        found = store.write(PAGE_STAGE, key, page)
    return found.record


def result_page(stored: StoredRecording, sorting: Path, home: Home) -> dict[str, Any]:
    """Return what a result's page shows of each true unit's spikes (``result_data``)."""
    key = hash_json(
        {"version": PAGE_VERSION, "recording": stored.content, "sorting": hash_file(sorting)}
    )
    store = Store(folder=home.results)
    found = store.find(PAGE_STAGE, key)
    if found is None:
        spikes = read_sorting(sorting, stored.sampling_rate_hz, stored.n_samples)
        facts, packs = result_data(CountsRecording(stored=stored), stored.truth(), spikes)
        found = store.write(PAGE_STAGE, key, {**plain_json(facts), "packs": packs})
    return found.record
