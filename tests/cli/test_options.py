"""What commands share."""

from __future__ import annotations

import inspect

import pytest

from workflow.cli.options import Call, Which, help_of, listed, with_common


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


def test_which_model_is_asked_by_an_option_for_each_field() -> None:
    def command(call: Call, which: Which, images: list[str]) -> None:
        """Look."""

    names = list(inspect.signature(with_common(command)).parameters)
    elsewhere = ["net", "mean", "labels", "channel_order", "scale"]
    common = ["config", "directory", "json", "debug", "quiet"]
    assert names == ["context", "snapshot", "gen", "images", *elsewhere, *common]
