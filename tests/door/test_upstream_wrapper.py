"""The wrapper that is offered to SpikeInterface says what our own sorter says."""

from pathlib import Path

import embersort.spikeinterface as ours

WRAPPER = Path(__file__).resolve().parents[2] / "docs" / "upstream" / "embersort.py"


def test_wrapper_and_our_sorter_agree():
    text = WRAPPER.read_text("utf-8")
    text = text.replace("from ...core", "from spikeinterface.core")
    text = text.replace("from ..basesorter", "from spikeinterface.sorters.basesorter")
    names = {}
    exec(compile(text, str(WRAPPER), "exec"), names)
    theirs, mine = names["EmbersortSorter"], ours.EmbersortSorter
    assert theirs.default_params() == mine.default_params()
    assert theirs.params_description() == mine.params_description()
    assert theirs.is_installed()
    assert theirs.get_sorter_version() == mine.get_sorter_version()
    for name in ("sorter_name", "requires_locations", "compatible_with_parallel"):
        assert getattr(theirs, name) == getattr(mine, name)
