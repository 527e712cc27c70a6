"""A home of its own for each test, with two tiny recordings and stand-in sorters."""

import pytest
from tiny_home import make_home

from embersort.benchmark.home import HOME_VARIABLE


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return make_home(tmp_path / "home")


@pytest.fixture
def calls(home):
    """How often a stand-in was started."""
    path = home.folder / "calls.txt"
    return lambda: path.read_text().split() if path.exists() else []
