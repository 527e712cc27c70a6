"""The public settings, as data and as the command prints them."""

import pytest
from typer.testing import CliRunner

from embersort.cli.commands import app
from embersort.cli.settings import declared_settings
from embersort.config import SortConfig
from embersort.errors import BadConfig

SOURCES = ("paper: ", "convention", "derivation: ", "chosen on ", "measured: ")


def test_there_are_few_and_each_says_what_it_is_and_where_it_comes_from():
    declared = declared_settings(SortConfig)
    assert 20 <= len(declared) <= 30
    for one in declared:
        assert one.sentence[0].isupper(), one.name
        assert one.sentence.endswith("."), one.name
        assert one.source.startswith(SOURCES), one.name
        assert one.limits or isinstance(one.default, bool), one.name


def test_each_can_be_set_by_its_name():
    for one in declared_settings(SortConfig):
        section, *rest = one.name.split(".")
        values = one.default
        for key in reversed(rest):
            values = {key: values}
        assert SortConfig.parse({section: values}) == SortConfig()


def test_the_command_prints_all_of_them():
    result = CliRunner().invoke(app, ["settings"])
    assert result.exit_code == 0
    for one in declared_settings(SortConfig):
        assert one.name in result.output


def test_what_is_a_constant_now_is_refused_as_an_unknown_name():
    with pytest.raises(BadConfig, match=r"unknown name 'match\.min_crowd'"):
        SortConfig.parse({"match": {"min_crowd": 4.0}})
    with pytest.raises(BadConfig, match=r"unknown name 'merge'"):
        SortConfig.parse({"merge": {"place_um": 8.0}})
