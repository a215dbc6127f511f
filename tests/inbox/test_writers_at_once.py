"""Take-overs, tables of decisions and a preparation at the same time; the long form is scripts/serve_check writers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from an_inbox import label
from one_generation import make_one

from workflow.api import Project
from workflow.inbox import Filters, Inbox

TABLES = """
import csv, sys
from pathlib import Path
from workflow.api import Project
project = Project(sys.argv[1])
for turn in range(8):
    with Path("table.csv").open("w", newline="") as file:
        row = ["x", sys.argv[2], f"table {turn}", "cross", "0.9", "", "refuse"]
        csv.writer(file).writerows([["path", "sha256", "label", "suggested", "score", "why", "decision"], row])
    print(project.apply_suspects("table.csv").found.patch.number, flush=True)
"""


def test_no_patch_is_lost_and_nobody_is_told_of_a_lock(project: Path) -> None:
    make_one(project)
    with Inbox(Project(project).config) as inbox:
        inbox.learn()
        shas = [one["sha256"] for one in inbox.gallery(Filters(class_name="circle")).items[:4]]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        tables = subprocess.Popen([sys.executable, "-c", TABLES, project, shas[0]], **pipes)
        prepare = subprocess.Popen([sys.executable, "-m", "workflow", "prepare", "--force", "-q"], **pipes)
        numbers = []
        for turn in range(12):
            was, wanted = (("circle", "cross"), ("cross", "circle"))[turn // len(shas) % 2]
            (answer,) = inbox.label([label(shas[turn % len(shas)], wanted, was=was, key=f"{turn}")])
            assert answer.status == "saved"
            found = inbox.takeover()
            assert found.conflicts == []
            numbers.append(found.patch)
        out, err = tables.communicate(timeout=60)
        assert err == ""
        assert prepare.communicate(timeout=60)[1].count("locked") == 0
        assert prepare.returncode == 0
    numbers += [int(one) for one in out.split()]
    assert sorted(numbers) == list(range(1, 21))
    lines = [json.loads(one) for path in Path("corrections").iterdir() for one in path.read_text().splitlines()]
    assert len(lines) == 20
