"""What commands share."""

from __future__ import annotations

from typing import Annotated

import pytest

from workflow.cli.options import Call, Which, command_of, help_of, listed
from workflow.cli.parameters import Argument

Images = Annotated[list[str], Argument(metavar="IMAGE", help="Files.")]


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
    def command(call: Call, which: Which, images: Images) -> None:
        """Look."""

    names = [one.name for one in command_of("look", command).params]
    elsewhere = ["net", "mean", "labels", "channel_order", "scale"]
    common = ["config", "directory", "json", "debug", "quiet"]
    assert names == ["snapshot", "gen", "images", *elsewhere, *common]
