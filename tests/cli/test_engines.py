"""wf engines."""

from __future__ import annotations

from running import Run

from workflow.engines.status import Status
from workflow.report.engines import describe


def test_json_names_them_all(wf: Run) -> None:
    document = wf("engines", "--json").json
    assert [one["name"] for one in document["engines"]] == ["torch", "caffe", "numpy"]
    assert {"name", "ready", "version", "trains", "hint"} <= set(document["engines"][0])


def test_a_line_for_each() -> None:
    here = Status(name="numpy", ready=True, version="numpy 2.4.6", trains=False)
    assert describe([here]) == "numpy   numpy 2.4.6, inspects"


def test_one_that_is_not_here_says_how_to_get_it() -> None:
    missing = Status(name="caffe", ready=False, version="", trains=True, hint="scripts/install_caffe")
    assert describe([missing]) == "caffe   not installed\n        hint: scripts/install_caffe"
