"""Shares of a pass, done anywhere, give what one pass gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.data.sources import objects
from workflow.errors import DataError, UsageError
from workflow.exams import decoding, passes, shares
from workflow.exams.files import pictures
from workflow.exams.predict import predict, predict_share
from workflow.exams.shares import Share
from workflow.models.loading import load


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    for module in (passes, decoding, shares):
        monkeypatch.setattr(module, "PART", 4)
    monkeypatch.setattr(shares.cores, "available", lambda: 1)


def test_shares_are_gathered_to_what_one_pass_gives(settings, trained, project):
    Path("images/test/cross/0.png").write_bytes(b"")
    model, files, out = load(settings), pictures([Path("images/test")]), Path("answers")
    told = []
    assert predict_share(model, files, out, "2/3", progress=lambda *state: told.append(state)) == 4
    assert told == [(4, 4)]
    with pytest.raises(DataError, match="3 of 4 parts are not in answers/parts yet, the first is 0"):
        predict(model, files, shares=out)
    assert [predict_share(model, files, out, f"{number}/3") for number in (1, 2, 3)] == [7, 4, 4]
    written = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert predict_share(model, files, out, "1/1") == 15
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == written  # nothing is done again
    found, alone = predict(model, files, shares=out), predict(model, files)
    assert list(found.predictions) == list(alone.predictions)
    assert found.skipped == alone.skipped
    assert len(found.predictions) == 14


def test_shares_in_an_object_store(settings, trained, project):
    Path("images/test/cross/0.png").write_bytes(b"")
    pile, out = f"memory://{project.name}/pile", f"memory://{project.name}/answers"
    for path in Path("images/test").rglob("*.png"):
        objects.write(f"{pile}/{path.parent.name}/{path.name}", path.read_bytes())
    model, files = load(settings), pictures([pile])
    alone = predict(model, pictures([Path("images/test")]))
    told = []
    assert predict_share(model, files, out, "2/3") == 4
    with pytest.raises(DataError, match=f"3 of 4 parts are not in {out}/parts yet, the first is 0"):
        predict(model, files, shares=out)
    assert predict_share(model, files, out, "1/1", progress=lambda *state: told.append(state)) == 15
    assert told == [(8, 15), (12, 15), (15, 15)]  # the second part was there
    found = predict(model, files, shares=out)
    assert [one.probabilities for one in found.predictions] == [one.probabilities for one in alone.predictions]
    assert [one.path for one in found.predictions] == [
        str(one.path).replace("images/test", pile) for one in alone.predictions
    ]
    assert [(one.path, one.reason) for one in found.skipped] == [(f"{pile}/cross/0.png", "is empty")]
    with pytest.raises(UsageError, match=f"{out} holds answers about other pictures"):
        predict_share(model, pictures([f"{pile}/cross"]), out, "1/2")


def test_a_folder_of_other_pictures_is_refused(settings, trained, project):
    model = load(settings)
    predict_share(model, pictures([Path("images/test")]), Path("answers"), "1/2")
    with pytest.raises(UsageError, match="answers holds answers about other pictures"):
        predict_share(model, pictures([Path("images/test/cross")]), Path("answers"), "2/2")
    Path("images/test/cross/0.png").write_bytes(b"changed")
    with pytest.raises(UsageError, match="answers holds answers about other pictures") as caught:
        predict(model, pictures([Path("images/test")]), shares=Path("answers"))
    assert "changed meanwhile" in caught.value.hint


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/2/3", "-1/3"])
def test_a_share_that_there_is_not(text):
    with pytest.raises(UsageError, match="expected K/N with K from 1 to N"):
        Share.parsed(text)
    assert Share.parsed("3/64") == (3, 64)
