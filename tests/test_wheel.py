"""What is installed from a wheel has all that a checkout has."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("web/static/style.css", "web/templates/base.html.j2", "web/locales/ja.json", "inbox/tables.sql")
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"


@pytest.mark.slow
def test_wf_init_works_from_a_wheel(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling is not installed: a build would download it")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    with zipfile.ZipFile(tmp_path / done.stdout.split()[-1]) as wheel:
        names = wheel.namelist()
        wheel.extractall(tmp_path / "site")
    assert not [name for name in names if name.startswith(("tests/", "scripts/"))]
    for needed in ("py.typed", "formats/caffe.proto", "demo/demo.yaml", "demo/demo_solver.prototxt", *PAGES):
        assert f"workflow/{needed}" in names
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
    code += "import workflow; print(workflow.__file__, file=sys.stderr)\n"
    code += "sys.argv = ['wf', 'init', 'bot']\nfrom workflow.cli import main\nmain()\n"
    ran = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.startswith(str(tmp_path / "site"))
    for folder in ("configs", "prototxt"):
        shipped = {path.name: path.read_bytes() for path in (ROOT / folder).iterdir()}
        assert {path.name: path.read_bytes() for path in (tmp_path / "bot" / folder).iterdir()} == shipped
