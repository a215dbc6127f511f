"""examples/: each script does what its first lines say."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from trained_projects import three_generations

from workflow import Project, pycaffe
from workflow.config import Config
from workflow.demo.junk import draw_junk
from workflow.formats.binaryproto import write_mean
from workflow.models.loading import load

EXAMPLES = Path(__file__).parents[1] / "examples"
PROTOTXT = Path(__file__).parents[1] / "prototxt"


def run(script: str, *arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, EXAMPLES / script, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_script_for_caffe_gives_the_numbers_of_wf(project: Path) -> None:
    deploy = PROTOTXT / "cifar10_quick_deploy.prototxt"
    pycaffe.set_random_seed(3)
    net = pycaffe.Net(str(deploy), pycaffe.TEST)
    for blobs in net.params.values():
        blobs[0].data[...] = np.random.default_rng(1).normal(0, 0.05, blobs[0].data.shape)
    net.save("net.caffemodel")
    write_mean(project / "mean.binaryproto", np.full((3, 32, 32), 120, np.float32))
    Image.effect_noise((32, 32), 60).convert("RGB").save("picture.png")
    lines = run("caffe_script.py", deploy, "net.caffemodel", "mean.binaryproto", "picture.png").splitlines()
    model = load(Config(), snapshot="net.caffemodel", net=deploy, mean="mean.binaryproto")
    with model.open() as session:
        expected = model.forward(session, [model.read(Path("picture.png"))])["prob"].ravel()
    best = int(expected.argmax())
    label, share = lines[0].removeprefix("class ").split()
    assert int(label) == best
    assert float(share) == pytest.approx(expected[best], abs=1e-3)
    assert "pool3     1 x 64 x 4 x 4" in lines


def test_every_example_is_tested() -> None:
    tests = "".join(path.read_text() for path in (Path(__file__), Path(__file__).parent / "export" / "test_facts.py"))
    assert {path.name for path in EXAMPLES.glob("*.py") if path.name not in tests} == set()


def test_a_daily_round(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    shutil.copytree(three_generations(tmp_path_factory), tmp_path / "mybot")
    project = Project(tmp_path / "mybot")
    project.train(3, max_iter=150, fresh=True)  # then it knows pictures of every class
    draw_junk(tmp_path / "incoming", count=8)
    (tmp_path / "incoming" / "note.jpg").write_text("no picture")
    lines = run("daily_round.py", project.root, tmp_path / "incoming").splitlines()
    assert any("note.jpg" in line and line.startswith("skipped") for line in lines)
    sheets = [line.rpartition(": ")[2] for line in lines if line.endswith("twin.png")]
    assert sheets
    assert all(Path(sheet).is_file() for sheet in sheets)
    assert Path(lines[-1].removeprefix("worth a label: ")).is_file()
