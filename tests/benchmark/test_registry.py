"""Registry entries: shipped ones are right, wrong ones are named, nothing leaves its folder."""

import pytest
from tiny_home import ENTRY

import embersort.benchmark.recipes as recipes_module
from embersort.benchmark.catalogue import (
    add_entry,
    describe_recording,
    find_recordings,
    load_registry,
)
from embersort.benchmark.materialise import find_alike, find_made, materialise
from embersort.benchmark.registry import (
    inside,
    is_open,
    read_registry,
    read_study_set,
    read_suites,
    shipped_entries,
    shipped_suites,
)
from embersort.errors import BadConfig, BadInput

SPIKEFOREST = [
    "HYBRID_JANELIA",
    "LONG_DRIFT",
    "LONG_STATIC",
    "MANUAL_FRANKLAB",
    "PAIRED_BOYDEN",
    "PAIRED_CRCNS_HC1",
    "PAIRED_ENGLISH",
    "PAIRED_KAMPFF",
    "PAIRED_MEA64C_YGER",
    "PAIRED_MONOTRODE",
    "SYNTH_BIONET",
    "SYNTH_MAGLAND",
    "SYNTH_MEAREC_NEURONEXUS",
    "SYNTH_MEAREC_TETRODE",
    "SYNTH_MONOTRODE",
    "SYNTH_VISAPY",
]


def test_shipped_entries_are_valid_and_complete():
    registry = read_registry([shipped_entries()])
    sets = {path.stem: read_study_set(path) for path in shipped_entries().glob("*.toml")}
    names = {study_set.name for study_set in sets.values()}
    assert set(SPIKEFOREST) <= names
    for study_set in sets.values():
        assert study_set.description
        assert study_set.title
    assert len(registry) > 50


def test_shipped_suites_name_recordings_that_exist():
    registry = read_registry([shipped_entries()])
    suites = read_suites([shipped_suites()])
    assert set(suites) == {"smoke", "dev", "long", "further", "unseen", "full"}
    from embersort.benchmark.registry import choose_recordings

    assert 12 <= len(choose_recordings(registry, suites["dev"].recordings)) <= 16
    assert len(choose_recordings(registry, suites["long"].recordings)) == 12
    assert len(choose_recordings(registry, suites["further"].recordings)) == 12
    assert len(choose_recordings(registry, suites["unseen"].recordings)) == 10
    assert choose_recordings(registry, suites["full"].recordings)


def test_recordings_of_the_open_sets_are_named_too():
    registry = read_registry([shipped_entries()])
    n_recordings = {
        "MANUAL_FRANKLAB": 21,
        "PAIRED_CRCNS_HC1": 93,
        "PAIRED_MEA64C_YGER": 18,
        "PAIRED_MONOTRODE": 100,
        "SYNTH_VISAPY": 6,
    }
    for name, n in n_recordings.items():
        sources = [r.entry.source for r in registry.values() if r.study_set.name == name]
        assert len(sources) == n
        assert all(is_open(source) for source in sources)
    assert "PAIRED_MEA64C_YGER/paired_mea64c/20160415_patch2" in registry


def test_seeds_and_shared_sources_are_expanded(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text(
        'name="X"\ntitle="x"\nkind="simulated"\ndescription="x"\n'
        '[[studies]]\nname="s"\nseeds=[3,4]\n[studies.source]\nkind="spikeinterface"\n'
        "duration_s=1\nn_units=2\nprobe={tetrode=true}\n"
    )
    study = read_study_set(path).studies[0]
    assert [recording.name for recording in study.recordings] == ["003", "004"]
    assert [recording.source.seed for recording in study.recordings] == [3, 4]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "real"', 'kind = "rael"', "kind"),
        (
            "[[studies]]",
            "[[studies]]\nnmae = 'x'",
            "unknown name 'studies.0.nmae'; did you mean 'name'",
        ),
        ('folder = "a"', 'foldr = "a"', "source.local.foldr'; did you mean 'folder'"),
        ('name = "a"', 'name = "../a"', "no valid name"),
        ('name = "b"', 'name = "a"', "already a recording named TINY/pair/a"),
        ('kind = "local"', 'kind = "lokal"', "lokal"),
        ("[[studies]]", "[[studies]]\nseeds = [1]", "either seeds or names or recordings"),
        ('source = { folder = "a" }', 'source = "a"', "study 'pair'"),
    ],
)
def test_wrong_entries_are_refused_with_their_file(tmp_path, old, new, message):
    (tmp_path / "tiny.toml").write_text(ENTRY.replace(old, new))
    with pytest.raises(BadConfig, match=message):
        read_registry([tmp_path])


def test_two_entries_of_one_name_are_refused(home, tmp_path):
    (tmp_path / "again.toml").write_text(ENTRY)
    with pytest.raises(BadInput, match="already a recording named TINY/pair/a"):
        add_entry(tmp_path / "again.toml", home)
    (tmp_path / "new.toml").write_text(ENTRY.replace("TINY", "NEW"))
    assert add_entry(tmp_path / "new.toml", home) == ["NEW/pair/a", "NEW/pair/b"]
    assert "NEW/pair/a" in load_registry(home)


def test_a_bad_entry_is_left_out_with_a_warning_and_the_others_go_on(home, caplog):
    (home.registry / "broken.toml").write_text("name = [[[")
    (home.registry / "u_taken.toml").write_text(ENTRY.replace('"b"', '"c"'))
    names = [name for name in load_registry(home) if name.startswith("TINY")]
    assert names == ["TINY/pair/a", "TINY/pair/b", "TINY/pair/c"]
    assert len(caplog.messages) == 2
    assert "broken.toml is not valid TOML" in caplog.messages[0]
    assert caplog.messages[1].endswith("already a recording named TINY/pair/a; left out")


def test_a_file_that_was_added_is_replaced_only_on_request(home, tmp_path):
    path = tmp_path / "new.toml"
    path.write_text(ENTRY.replace("TINY", "NEW"))
    add_entry(path, home)
    path.write_text(ENTRY.replace("TINY", "NEW").replace('"b"', '"c"'))
    with pytest.raises(BadInput, match=r"new.toml was added before .* give --replace"):
        add_entry(path, home)
    assert add_entry(path, home, replace=True) == ["NEW/pair/a", "NEW/pair/c"]
    assert "NEW/pair/b" not in load_registry(home)
    # A broken one can be replaced as well.
    (home.registry / "new.toml").write_text("[[[")
    assert add_entry(path, home, replace=True) == ["NEW/pair/a", "NEW/pair/c"]
    path.write_text(ENTRY)
    with pytest.raises(BadInput, match="already a recording named TINY/pair/a"):
        add_entry(path, home, replace=True)


def test_an_open_entry_is_completed_by_one_of_its_name(home, tmp_path):
    path = tmp_path / "mea64c.toml"
    path.write_text(
        ENTRY.replace("TINY", "PAIRED_MEA64C_YGER")
        .replace('"pair"', '"paired_mea64c"')
        .replace('name = "a"', 'name = "20160415_patch2"')
    )
    add_entry(path, home)
    registry = load_registry(home)
    assert registry["PAIRED_MEA64C_YGER/paired_mea64c/20160415_patch2"].entry.source.kind == "local"
    assert len(find_recordings(home, ["PAIRED_MEA64C_YGER"])) == 19


def test_recordings_of_the_archive_are_named_with_their_assets():
    registry = read_registry([shipped_entries()])
    sets = ("HYBRID_JANELIA", "PAIRED_BOYDEN", "PAIRED_ENGLISH", "PAIRED_KAMPFF")
    n_recordings = [sum(name.startswith(f"{s}/") for name in registry) for s in sets]
    assert n_recordings == [60, 19, 29, 15]
    source = registry["PAIRED_KAMPFF/paired_kampff/2014_11_25_Pair_3_0"].entry.source
    assert source.dandiset == "000618"
    assert source.asset_path == (
        "sub-paired-kampff/sub-paired-kampff_ses-paired-kampff-2014-11-25-Pair-3-0_ecephys.nwb"
    )


def test_a_set_a_study_or_a_suite_of_ones_own_names_recordings(home):
    home.suites.mkdir()
    (home.suites / "mine.toml").write_text(
        'name = "mine"\ndescription = "x"\nrecordings = ["TINY/pair/b"]\n'
    )
    for pattern, n in (("TINY", 2), ("TINY/pair", 2), ("mine", 1), ("SYNTH_MAGLAND", 80)):
        assert len(find_recordings(home, [pattern])) == n
    with pytest.raises(BadInput, match="'TIN'; 'embersort bench registry list' has them"):
        find_recordings(home, ["TIN"])


def test_what_is_known_of_a_recording_is_told(home):
    (recording, _) = find_recordings(home, ["TINY"])
    before = describe_recording(recording, home)
    assert (before["study_set"]["kind"], before["source"]["kind"]) == ("real", "local")
    assert before["made"] is None
    stored = materialise(recording, home)
    assert describe_recording(recording, home)["made"]["content"] == stored.content


def test_a_local_file_is_hashed_again_only_when_it_changes(home, monkeypatch):
    (recording, _) = find_recordings(home, ["TINY"])
    materialise(recording, home)
    monkeypatch.setattr(recipes_module, "hash_file", lambda _: pytest.fail("hashed again"))
    assert find_made(recording, home) is not None
    monkeypatch.undo()
    path = home.registry / "a" / "traces.npy"
    path.write_bytes(path.read_bytes() + b"more")
    assert find_made(recording, home) is None


def test_a_damaged_file_is_named_whatever_the_reader_makes_of_it(home):
    (recording, _) = find_recordings(home, ["TINY"])
    (home.registry / "a" / "traces.npy").write_bytes(b"PK\x03\x04 mislabelled")
    with pytest.raises(BadInput, match="TINY/pair/a"):
        materialise(recording, home)


def test_what_a_killed_process_left_is_deleted_first(home):
    (recording, _) = find_recordings(home, ["TINY"])
    left = home.work / f"recording-{recipes_module.recipe_key(recording, home)[:16]}"
    left.mkdir(parents=True)
    (left / "half").write_text("x")
    materialise(recording, home)
    assert not left.exists()


def test_an_unknown_name_gets_a_hint(home):
    with pytest.raises(BadInput, match="did you mean 'TINY/pair/a'"):
        find_recordings(home, ["TINY/pair/aa"])


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "", "."])
def test_no_path_leads_out_of_its_folder(tmp_path, name):
    with pytest.raises(BadInput, match="leads out of its folder"):
        inside(tmp_path, name)


def test_no_link_leads_out_either(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(BadInput, match="leads out of its folder"):
        inside(folder, "link/x")
    assert inside(folder, "sub/file") == folder.resolve() / "sub" / "file"


def test_a_recording_is_made_once_and_named_by_its_content(home):
    first, second = find_recordings(home, ["TINY/*/*"])
    assert find_made(first, home) is None
    stored = materialise(first, home)
    assert materialise(first, home) == stored
    assert stored.folder.name == stored.content
    assert materialise(second, home).content != stored.content


SCENE = """
name = "SCENES"
title = "one short scene"
kind = "simulated"
description = "for tests"
[[studies]]
name = "tiny"
seeds = [1]
[studies.source]
kind = "scene"
scene = { duration_s = 1, probe = { kind = "tetrode" }, cells = { n_units = 2 } }
"""


def test_another_version_of_the_simulator_loses_no_recording(home, monkeypatch):
    (home.registry / "scenes.toml").write_text(SCENE)
    (recording,) = find_recordings(home, ["SCENES/*/*"])
    stored = materialise(recording, home)
    monkeypatch.setattr(recipes_module, "simulator_hash", lambda: "another version")
    assert find_made(recording, home) is None
    assert find_alike(recording, home) == stored
    assert materialise(recording, home) == stored
    assert find_made(recording, home) == stored


def test_a_recording_of_another_source_is_not_taken_for_it(home):
    (home.registry / "scenes.toml").write_text(SCENE)
    (recording,) = find_recordings(home, ["SCENES/*/*"])
    materialise(recording, home)
    (home.registry / "scenes.toml").write_text(SCENE.replace("duration_s = 1", "duration_s = 2"))
    (recording,) = find_recordings(home, ["SCENES/*/*"])
    assert find_alike(recording, home) is None
