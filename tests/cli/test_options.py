"""What commands share."""

from __future__ import annotations

import pytest

from workflow.cli.options import help_of, listed


@pytest.mark.parametrize(
    ("values", "names"), [(None, ()), (["a"], ("a",)), (["a, b", "c,"], ("a", "b", "c")), ([""], ())]
)
def test_lists_with_commas(values: list[str] | None, names: tuple[str, ...]) -> None:
    assert listed(values) == names


def test_examples_keep_their_lines() -> None:
    def command() -> None:
        """Do it.

        More words
        in two lines.

        wf it
        wf it --now
        """

    assert help_of(command) == "Do it.\n\nMore words\nin two lines.\n\n\b\nwf it\nwf it --now"
