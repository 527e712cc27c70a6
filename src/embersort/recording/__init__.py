"""The one door to recordings: files, arrays and SpikeInterface objects in, sortings in and out."""

from embersort.recording.account import account_of, unit_of
from embersort.recording.array import ArrayRecording, Excerpt
from embersort.recording.door import open_recording
from embersort.recording.joined import JoinedRecording
from embersort.recording.native import native_spikeinterface
from embersort.recording.reopened import ReopenedRecording
from embersort.recording.sorting_files import load_sorting
from embersort.recording.sortings import (
    save_sorting,
    sorting_from_spikeinterface,
    sorting_to_spikeinterface,
)
from embersort.recording.wrapped import from_spikeinterface, to_spikeinterface

__all__ = [
    "ArrayRecording",
    "Excerpt",
    "JoinedRecording",
    "ReopenedRecording",
    "account_of",
    "from_spikeinterface",
    "load_sorting",
    "native_spikeinterface",
    "open_recording",
    "save_sorting",
    "sorting_from_spikeinterface",
    "sorting_to_spikeinterface",
    "to_spikeinterface",
    "unit_of",
]
