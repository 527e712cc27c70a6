"""The hand-written JavaScript is linted and formatted like everything else."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ASSETS = [ROOT / "src/embersort/report/assets", ROOT / "src/embersort/benchmark/site/assets"]


@pytest.mark.parametrize("command", ["lint", "format"])
def test_biome_has_no_complaint(command):
    beside = Path(sys.executable).with_name("biome")
    biome = str(beside) if beside.exists() else shutil.which("biome")
    if biome is None:
        pytest.skip("needs biome")
    done = subprocess.run(
        [biome, command, "--error-on-warnings"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_text_is_ever_written_as_markup():
    for path in [path for folder in ASSETS for path in folder.glob("*.js")]:
        found = re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", path.read_text()
        )
        assert not found, path
