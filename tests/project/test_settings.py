"""Settings from flags, environment, YAML and defaults; rows Y01 to Y07 of the catalogue of faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from workflow.config import Config
from workflow.errors import ConfigError
from workflow.project import shipped
from workflow.project.settings import load

FILE = Path("configs/default.yaml")


def write(text: str, path: Path = FILE) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def complaint(text: str, **overrides: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(write(text), overrides, {})
    return caught.value


def test_the_shipped_settings_are_the_defaults(project: Path) -> None:
    found = load(shipped() / FILE, {}, {})
    relative = {name: getattr(found.train, name).relative_to(shipped()) for name in ("solver", "deploy")}
    assert structs.replace(found, train=structs.replace(found.train, **relative)) == Config()


def test_without_a_project_the_shipped_settings_and_nets_are_taken(project: Path) -> None:
    found = load(None, {}, {})
    assert found.train.solver.is_file()
    assert found.train.deploy.is_file()


def test_in_a_project_a_net_that_lacks_is_not_replaced(project: Path) -> None:
    solver = write("max_iter: 5", Path("prototxt") / "solver.prototxt")
    found = load(write("train: {solver: prototxt/solver.prototxt}"), {}, {})
    assert found.train.solver == solver
    assert found.train.deploy == Path("prototxt/cifar10_quick_deploy.prototxt")


def test_the_file_of_the_current_folder_comes_before_the_shipped_one(project: Path) -> None:
    write("generations: elsewhere")
    assert load(None, {}, {}).generations == Path("elsewhere")


def test_wf_config_names_the_file(project: Path) -> None:
    write("generations: other", Path("other.yaml"))
    assert load(None, {}, {"WF_CONFIG": "other.yaml"}).generations == Path("other")
    write("generations: named", Path("named.yaml"))
    assert load(Path("named.yaml"), {}, {"WF_CONFIG": "other.yaml"}).generations == Path("named")


@given(st.lists(st.integers(1, 9) | st.none(), min_size=3, max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_flags_beat_environment_beats_yaml_beats_defaults(project: Path, values: list[int | None]) -> None:
    flag, variable, line = values
    write("" if line is None else f"train:\n  threads: {line}\n")
    environment = {} if variable is None else {"WF_TRAIN__THREADS": str(variable)}
    expected = next((value for value in values if value is not None), None)
    assert load(FILE, {"train__threads": flag}, environment).train.threads == expected


def test_variables_are_written_as_yaml(project: Path) -> None:
    found = load(None, {}, {"WF_IMAGES": "[a, b c]", "WF_PREPARE__MAX_BAD": "1e-1", "HOME": "/root"})
    assert found.images == (Path("a"), Path("b c"))
    assert found.prepare.max_bad == 0.1


def test_a_wrong_variable_is_named(project: Path) -> None:
    with pytest.raises(ConfigError, match="unknown setting 'train.treads'") as caught:
        load(None, {}, {"WF_TRAIN__TREADS": "2"})
    assert str(caught.value.at) == "environment variable WF_TRAIN__TREADS"
    assert caught.value.hint == "did you mean 'threads'?"
    with pytest.raises(ConfigError, match="generations: got 5"):
        load(None, {}, {"WF_GENERATIONS": "5"})


def test_a_wrong_flag_is_named(project: Path) -> None:
    error = complaint("", train__engine="torhc")
    assert error.message == "train.engine: got 'torhc', expected 'torch' or 'caffe'"
    assert str(error.at) == "--engine"


def test_y01_missing_when_named(project: Path) -> None:
    write("")
    with pytest.raises(ConfigError, match=r"config not found: configs/defualt\.yaml") as caught:
        load(Path("configs/defualt.yaml"), {}, {})
    assert (caught.value.fault, caught.value.hint) == ("Y01", "did you mean 'configs/default.yaml'?")
    with pytest.raises(ConfigError, match="config not found") as caught:
        load(Path("prod.yaml"), {}, {})
    assert "wf init" in str(caught.value.hint)


@pytest.mark.parametrize("text", ["", "# nothing\n", "train:\n"])
def test_y01_empty_is_defaults(project: Path, text: str) -> None:
    assert load(write(text), {}, {}).split == Config().split


def test_y02_a_tab(project: Path) -> None:
    error = complaint("train:\n\tthreads: 2\n")
    assert (error.fault, str(error.at)) == ("Y02", "configs/default.yaml:2:1")


def test_y03_an_unknown_key_gets_its_line_and_the_closest_one(project: Path) -> None:
    error = complaint("images: [a]\n\ntrain:\n  engine: torch\n  solvr: x\n")
    assert error.message == "unknown setting 'train.solvr'"
    assert (error.fault, error.hint) == ("Y03", "did you mean 'solver'?")
    assert str(error.at).startswith("configs/default.yaml:5")


def test_y03_the_project_is_no_setting(project: Path) -> None:
    assert complaint("project: elsewhere\n").message == "unknown setting 'project'"


def test_y03_a_key_at_the_top(project: Path) -> None:
    assert complaint("learning_rate: 1\n").hint == (
        "known: images, generations, classes, preprocessing, split, prepare, train, cluster"
    )


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("split: {test: '0,01'}", "split.test: got '0,01', expected a number", "write 0.01, without quotes"),
        ("split: {test: .nan}", "split.test: got nan, expected a finite number", None),
        ("split: {test: -1}", "split.test: got -1, expected more than 0", None),
        ("split: {test: true}", "split.test: got the boolean true, expected a number", None),
        (
            "split: {test: 0.5, validation: 0.5}",
            "split.validation: got 0.5, expected less than what a test share of 0.5 leaves",
            None,
        ),
        ("train: {threads: 0}", "train.threads: got 0, expected at least 1", None),
        ("train: {threads: 2.5}", "train.threads: got 2.5, expected a whole number", None),
        ("train: [1]", "train: got a list of 1, expected a block of settings", None),
        (
            "preprocessing: {background: [1, 2]}",
            "preprocessing.background: got a list of 2, expected a list of 3",
            None,
        ),
    ],
)
def test_y04_numbers(project: Path, text: str, message: str, hint: str | None) -> None:
    error = complaint(text)
    assert error.message.startswith(message)
    assert (error.fault, error.hint) == ("Y04", hint)


def test_y04_exponents_are_numbers(project: Path) -> None:
    assert load(write("prepare: {max_bad: 1e-3}"), {}, {}).prepare.max_bad == 0.001


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("classes: [no, maybe]", "classes[0]: got the boolean false", 'quote it: "no"'),
        ("classes: [true, maybe]", "classes[0]: got the boolean true", 'quote it: "true"'),
        ("classes: [a, 8]", "classes[1]: got 8, expected text", 'quote it: "8"'),
        ("classes: [a, 010]", "classes[1]: '010' is", 'quote it: "010"'),
        ("classes: [12:30:45]", "classes[0]: '12:30:45' is", 'quote it: "12:30:45"'),
    ],
)
def test_y05_class_names_are_text(project: Path, text: str, message: str, hint: str) -> None:
    error = complaint(text)
    assert error.message.startswith(message)
    assert error.fault == "Y05"
    assert str(error.hint).startswith(hint)
    assert str(error.at).startswith("configs/default.yaml:1")


def test_y06_a_key_twice(project: Path) -> None:
    assert complaint("images: [a]\nimages: [b]\n").fault == "Y06"


def test_y07_a_tag(project: Path) -> None:
    assert complaint("images: !!python/object:os.system []\n").fault == "Y07"


def test_all_complaints_at_once(project: Path) -> None:
    error = complaint("imges: [a]\ntrain:\n  threads: many\n")
    assert "2 settings cannot be used" in error.message
    assert "configs/default.yaml:1" in error.message
    assert "configs/default.yaml:3" in error.message


def test_the_settings_of_a_project_elsewhere(project):
    bot = project / "bot"
    (bot / "configs").mkdir(parents=True)
    write("generations: gens\nimages: [/data/images, more]", bot / FILE)
    found = load(None, {}, {}, root=Path("bot"))
    assert found.project == bot
    assert found.generations == bot / "gens"
    assert found.images == (Path("/data/images"), bot / "more")
    assert found.train.solver == shipped() / "prototxt/cifar10_quick_solver.prototxt"  # there is no prototxt/
    (bot / "prototxt").mkdir()
    assert load(None, {}, {}, root=bot).train.solver == bot / "prototxt/cifar10_quick_solver.prototxt"
    assert load(None, {}, {}, root=bot).recorded()["generations"] == "gens"
