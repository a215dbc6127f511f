"""A machine that has not what the others have is told by name."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from msgspec import json, structs

from workflow.cluster.parts import Part
from workflow.cluster.site import Site
from workflow.config import Preprocessing
from workflow.data.decoding import Decoding
from workflow.errors import EnvironmentFault

pytest.importorskip("ray", reason="Ray is not installed: pip install 'wf[cluster]'")


@pytest.fixture
def here(tmp_path, monkeypatch) -> Site:
    monkeypatch.chdir(tmp_path)
    Path("parts").mkdir()
    Path("pictures").mkdir()
    Path(os.fsdecode(b"pictures/\xff.png")).touch()
    work = Decoding(preprocessing=Preprocessing(), max_pixels=1)
    part = Part(number=0, start=0, items=(b"pictures/gone.png", b"pictures/\xff.png"))
    found = Site.here(work, part, Path("parts"))
    assert found == Site.here(work, part, Path("parts"))  # a second run has the same marker
    return json.decode(json.encode(found), type=Site)


def test_the_same_machine_has_the_same(here):
    here.check("10.0.0.1")


@pytest.mark.parametrize("name", ["Python", "wf", "Ray"])
def test_r02_both_versions_are_named(here, name):
    other = structs.replace(here, versions=here.versions | {name: "0.0"})
    match = rf"the worker 10\.0\.0\.1 has {name} {here.versions[name]}, but here it is {name} 0\.0"
    with pytest.raises(EnvironmentFault, match=match) as caught:
        other.check("10.0.0.1")
    assert caught.value.fault == "R02"


def test_r03_a_folder_that_is_another_one_or_none(here, tmp_path):
    """Every machine has a /tmp, and not one sees that of another."""
    (tmp_path / "parts/seen-by-all-workers").write_bytes(b"another")
    with pytest.raises(EnvironmentFault, match=r"10\.0\.0\.1 does not see the folder .*/parts") as caught:
        here.check("10.0.0.1")
    assert caught.value.fault == "R03"
    shutil.rmtree(tmp_path / "parts")
    with pytest.raises(EnvironmentFault, match=r"does not see the folder .*/parts"):
        here.check("10.0.0.1")


def test_r03_pictures_that_are_not_there(here, tmp_path):
    shutil.rmtree(tmp_path / "pictures")
    with pytest.raises(EnvironmentFault, match=r"does not see .*/pictures/"):
        here.check("10.0.0.1")
    with pytest.raises(EnvironmentFault, match=r"does not see the folder /no/such"):
        structs.replace(here, current="/no/such").check("10.0.0.1")
