from __future__ import annotations

from workflow import fonts
from workflow.report.scripts import SAMPLES, folders, scripts


def test_every_script_has_a_font_or_none() -> None:
    found = scripts()
    assert list(found) == list(SAMPLES)
    assert found["Latin, Greek, Cyrillic"] == "DejaVuSans"


def test_every_font_is_in_a_folder_that_is_told() -> None:
    assert {path.parent for path in fonts._candidates()} <= set(folders())
