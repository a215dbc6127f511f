"""wf init."""

from __future__ import annotations

from pathlib import Path

from running import Run


def test_a_project_and_what_to_do_next(wf: Run) -> None:
    ran = wf("init", "bot")
    assert "cd bot" in ran.out
    assert "wf prepare" in ran.out
    assert Path("bot/configs/default.yaml").is_file()
    assert Path("bot/prototxt/cifar10_quick_solver.prototxt").is_file()


def test_the_current_folder(wf: Run) -> None:
    ran = wf("init", "--json")
    assert ran.json["path"] == "."
    assert "configs/default.yaml" in ran.json["files"]
    assert Path("configs/default.yaml").is_file()


def test_twice_is_refused(wf: Run) -> None:
    wf("init")
    ran = wf("init", code=2)
    assert "exists" in ran.err
    assert "hint: " in ran.err


def test_a_recipe(wf: Run) -> None:
    ran = wf("init", "bot", "--recipe", "bn", "--json")
    assert ran.json["recipe"] == "bn"
    assert "bn_solver.prototxt" in Path("bot/configs/default.yaml").read_text()
    added = wf("init", "bot", "--recipe", "small-resnet")
    assert "wf prepare --config configs/small-resnet.yaml" in added.out


def test_the_recipes_and_what_they_gave(wf: Run) -> None:
    names = [one["name"] for one in wf("recipes", "--json").json["recipes"]]
    assert names == ["classic", "quick-plus", "bn", "small-resnet"]
    table = wf("recipes").out
    for name in names:
        assert f"\n{name}" in table
