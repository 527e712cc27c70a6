"""What all tests share: where the data pack lies, and skipping what this machine lacks."""

from importlib.util import find_spec
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data():
    """The folder of the shared data pack; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the shared data pack is absent")
    return SHARED


def pytest_collection_modifyitems(items):
    if find_spec("torch") is None:
        skip = pytest.mark.skip(reason="PyTorch is absent")
        for item in items:
            if item.get_closest_marker("torch"):
                item.add_marker(skip)
