from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from three_generations import make_three, settings

from workflow.config import Config, Preprocessing
from workflow.data.channel_order import to_rgb
from workflow.generations import generations
from workflow.interpretation.attribution.logit_account import why
from workflow.models.loading import load
from workflow.report.ledger import draw_ledger


def shown(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB")).astype(int)


def uncut(pixels: np.ndarray) -> bool:
    return all((edge == 255).all() for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))


def test_red_and_blue_are_for_and_against(project):
    make_three(project)
    model = load(settings(), snapshot="best")
    image = project / "costs $5 or $6.png"
    image.write_bytes(Path("images/test/cross/3.png").read_bytes())
    ledger = why(model, image, count=4, generations=generations(Config()))
    one = replace(ledger.label, label="W" * 20, contributions=np.full((6, 3, 3), 0.5))
    other = replace(ledger.against, label="a class of a very long name", contributions=np.zeros((6, 3, 3)))
    for label, against, name in ((one, other, "for.png"), (other, one, "against.png")):
        draw_ledger(replace(ledger, label=label, against=against), model, Path("out/deep") / name)
    speaks_for, speaks_against = (shown(Path("out/deep") / name) for name in ("for.png", "against.png"))
    assert speaks_for.shape[0] > 600
    assert uncut(speaks_for)

    def redness(picture: np.ndarray) -> int:
        height, width = picture.shape[:2]
        part = picture[: height * 45 // 100, width // 4 : width * 55 // 100]  # the map of cells
        return int((part[..., 0] - part[..., 2]).sum())

    assert redness(speaks_for) > 100_000
    assert redness(speaks_against) < -100_000


@pytest.mark.parametrize("units", [1, 5, 40])
def test_units_without_cells_and_without_neighbours(project, units):
    make_three(project)
    model = load(settings(), snapshot="best")
    found = why(model, Path("images/test/cross/3.png"), count=0)
    values = np.random.default_rng(2).normal(size=(units, 1, 1))
    ledger = replace(
        found,
        label=replace(found.label, contributions=values),
        against=replace(found.against, contributions=-values),
        note="the net is not linear from 'pool' on",
    )
    draw_ledger(ledger, model, Path("ledger.png"))
    pixels = shown(Path("ledger.png"))
    assert uncut(pixels)
    below = pixels[len(pixels) // 2 :]
    red = ((below[..., 0] > 150) & (below[..., 2] < 80)).any()
    blue = ((below[..., 2] > 150) & (below[..., 0] < 80)).any()
    assert (red, blue) == (bool((values > 0).any()), bool((values < 0).any()))


def test_colours_as_people_see_them():
    pixels = np.arange(3 * 2 * 5, dtype=np.uint8).reshape(3, 2, 5)
    np.testing.assert_array_equal(to_rgb(pixels, Preprocessing())[1, 4], pixels[:, 1, 4])
    np.testing.assert_array_equal(to_rgb(pixels, Preprocessing(channel_order="BGR"))[1, 4], pixels[::-1, 1, 4])
    np.testing.assert_array_equal(to_rgb(pixels[:1], Preprocessing(channel_order="GRAY"))[1, 4], pixels[[0] * 3, 1, 4])
