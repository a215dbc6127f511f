from __future__ import annotations

import numpy as np
import pytest

from workflow.report.canvas import rendered
from workflow.report.sheet import Sheet, widest


def test_a_panel_stands_where_it_is_told_to_below_a_title_of_any_length() -> None:
    for title in ("short", "a title that is much too long for one line of a sheet of three inches " * 2):
        sheet = Sheet(3, 2, title, note="below")
        sheet.panel(1, 0.5, 1.5, 1).set(facecolor="red", xticks=[], yticks=[])
        red = (np.asarray(rendered(sheet.figure)) == (255, 0, 0)).all(axis=2)
        assert red.any(axis=1).sum() == pytest.approx(100, abs=3)  # dpi is 100
        columns = np.flatnonzero(red.any(axis=0))
        assert (columns[0], columns[-1]) == pytest.approx((100, 250), abs=3)
        from_below = red[::-1].any(axis=1).argmax()
        assert from_below == pytest.approx(50 + 28, abs=3)  # and the note


@pytest.mark.parametrize("dpi", [80, 90, 100])
def test_words_as_drawn_have_room_in_the_width_of_the_widest(dpi: int) -> None:
    words = ("W" * 12, "i", "automobile, a class of a long name")
    sheet = Sheet(6, 2, "", dpi=dpi)
    texts = [sheet.figure.text(0, 0, one, fontsize=7) for one in words]
    rendered(sheet.figure)
    drawn = max(text.get_window_extent().width for text in texts) / dpi
    assert drawn <= widest(words, 7) <= 1.25 * drawn
    assert widest([], 9) == 0
