"""generation.json: typed, and files of earlier versions still read."""

from __future__ import annotations

import json
from pathlib import Path

from msgspec import structs

from workflow.generations import Generation, Record
from workflow.generations.record import Corrections, PreparedWith, Training
from workflow.report.facts import _made

OLD = Path(__file__).parents[1] / "golden" / "generations" / "generation.json"
"""As version 0.1 wrote it, with a field that no version knows any more."""


def old() -> Record:
    return Record.of(json.loads(OLD.read_text(encoding="utf-8")))


def test_an_old_record_is_read_and_written_as_it_was(tmp_path: Path) -> None:
    one = Generation(1, tmp_path)
    one.write(old())
    assert json.loads(one.record_path.read_text(encoding="utf-8")) == json.loads(OLD.read_text(encoding="utf-8"))
    assert one.read() == old()


def test_its_parts_are_typed() -> None:
    record = old()
    assert isinstance(record.training, Training)
    assert (record.training.engine, record.training.iterations, record.training.tested_at) == ("torch", 300, 300)
    assert record.training.parts is not None
    assert record.training.parts[0]["from"] == 0
    assert record.corrections == Corrections.of(json.loads(OLD.read_text(encoding="utf-8"))["corrections"])
    assert record.corrections.patches == ("001",)
    assert isinstance(record.config, PreparedWith)
    assert record.config.prepare.seed is not None


def test_new_facts_keep_what_was_recorded() -> None:
    before = Training.of({"engine": "torch", "random_seed": 7})
    after = before.updated({"iterations": 10, "engine": "caffe"})
    assert after.given == {"engine": "caffe", "random_seed": 7, "iterations": 10}
    assert Training().given == {}


def test_the_report_shows_the_seed() -> None:
    record = old()
    seeded = structs.replace(record, training=record.training.updated({"random_seed": 17}))
    assert ("seed", "17") in _made(seeded)
