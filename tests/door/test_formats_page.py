"""Every command of the page on formats is one that the command line understands."""

import re
import shlex
from pathlib import Path

import click
import pytest
import typer

from embersort.cli import sort as sort_module
from embersort.recording.catalogue import named_probe, probe_names
from embersort.recording.formats import format_of

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
COMMANDS = [line for line in re.findall(r"`?(embersort sort [^`\n|]+)`?", PAGE.read_text("utf-8"))]


@pytest.mark.parametrize("line", COMMANDS)
def test_the_command_is_understood(line):
    command = typer.main.get_command(sort_module.app)
    try:
        context = command.make_context("sort", shlex.split(line)[2:], resilient_parsing=False)
    except click.ClickException as error:
        pytest.fail(f"{line}: {error.format_message()}")
    assert context.params["out"] == Path("OUT")


def test_the_page_has_an_example_for_each_system():
    for system in ("SpikeGLX", "Open Ephys", "Intan", "Blackrock", "Neuralynx", "Plexon", "NWB"):
        assert re.search(rf"^\| {system} \| `embersort sort", PAGE.read_text("utf-8"), re.MULTILINE)
    for system in ("MEArec", "plain binary", "NumPy"):
        assert re.search(rf"^\| {system} \| `embersort sort", PAGE.read_text("utf-8"), re.MULTILINE)


def test_every_probe_that_is_named_exists():
    for name in (*probe_names(), "np1", "np2", "np2-4shank", "NP2014"):
        assert named_probe(name).get_contact_count() in (96, 384), name


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("x.rhd", "intan"),
        ("x.ns6", "blackrock"),
        ("x.pl2", "plexon2"),
        ("x.nwb", "nwb"),
        ("x.dat", "binary"),
        ("x.npy", "npy"),
    ],
)
def test_the_format_is_known_by_its_name(tmp_path, name, format):
    (tmp_path / name).touch()
    assert format_of(tmp_path / name) == format
