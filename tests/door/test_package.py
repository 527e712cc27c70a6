"""What is released: one version, no module that one system alone has, ranges that hold the pins."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import embersort

TOP = Path(embersort.__file__).parents[2]
PACKAGE = Path(embersort.__file__).parent
UNIX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}
"""Modules of the standard library that Windows lacks."""

in_repository = pytest.mark.skipif(
    not (TOP / "pyproject.toml").is_file(), reason="needs the repository, not the wheel alone"
)


def unguarded(tree):
    """Names of modules that a file imports when it is imported itself, outside of any try."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_nothing_is_imported_that_one_system_alone_has():
    # Scripts that run inside a Linux container are not the package's.
    files = [path for path in PACKAGE.rglob("*.py") if "workers" not in path.parts]
    found = {
        (path.relative_to(PACKAGE).as_posix(), name)
        for path in files
        for name in unguarded(ast.parse(path.read_text("utf-8")))
        if name in UNIX_ONLY
    }
    assert not found
    assert set(unguarded(ast.parse("import fcntl\nfrom os import path\n"))) == {"fcntl", "os"}


@in_repository
def test_one_version_everywhere():
    cited = re.search(r"^version: (\S+)$", (TOP / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    assert cited[1] == embersort.__version__
    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["dynamic"] == ["version"]


@in_repository
def test_a_tag_of_another_version_is_no_release():
    done = subprocess.run(
        ["sh", str(TOP / ".ci" / "check-tag"), "v99.0.0"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "another version than v99.0.0" in done.stderr


@in_repository
def test_pins_lie_within_the_ranges_and_name_all_that_is_required():
    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]
    lines = (TOP / "requirements" / "run.txt").read_text("utf-8").splitlines()
    pins = {
        name.lower().replace("_", "-"): version
        for name, _, version in (line.partition("==") for line in lines if "==" in line)
    }
    for text in project["dependencies"]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pins[requirement.name.lower()]), text
    heavy = {"torch", "plotly", "h5py", "pandas", "matplotlib"}
    assert not heavy & set(pins)
