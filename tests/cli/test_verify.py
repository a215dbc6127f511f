"""wf verify."""

from __future__ import annotations

from pathlib import Path

from running import Run

from workflow.checks.verification import Verification
from workflow.report.verification import describe


def test_all_is_well(trained: Run) -> None:
    document = trained("verify", "--engine", "torch", "--sample", "5", "--json").json
    assert document["checked"] == 14  # 5 training, 4 validation and 5 test pictures
    assert document["max_abs_difference"] == 0


def test_the_result_for_people() -> None:
    found = Verification(generation="gen2", snapshot="gen2/iter_9", checked=400, missing=["a.png", "b.png"])
    found.engines["caffe"] = 2.5e-7
    assert describe(found) == (
        "gen2/iter_9: 400 records checked, largest difference 0\n"
        "caffe engine: largest difference 2.5e-07\n"
        "2 pictures are gone since they were prepared, such as a.png"
    )


def test_a_finding_is_exit_code_1_and_stdout_one_document(trained: Run) -> None:
    labels = Path("generations/gen1/dataset/labels.txt")
    labels.write_text("character\nothers\n")
    ran = trained("verify", "--sample", "1", "--json", code=1)
    assert ran.json["problems"]
    assert ran.err.startswith("error: ")
