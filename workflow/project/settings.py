"""Settings from all their sources: flags over WF_... variables over YAML over defaults.

`WF_TRAIN__THREADS=2` sets train.threads, `WF_IMAGES='[a, b]'` the list of folders: the name in capitals, two
underscores for a step down, the value as YAML has it. `WF_CONFIG` names the file, as --config does, and `WF_PROJECT`
the folder of the project.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import structs

from workflow.config import Config, rooted, typed
from workflow.errors import ConfigError, did_you_mean
from workflow.formats import yaml
from workflow.project import VARIABLE, shipped
from workflow.project.settings_errors import check

_PREFIX = "WF_"
_FILE = "WF_CONFIG"
_DEFAULT = Path("configs/default.yaml")


def load(
    path: Path | None,
    overrides: Mapping[str, Any],
    environment: Mapping[str, str] | None = None,
    *,
    root: Path = Path(),
) -> Config:
    """The settings of a project, see `workflow.config.rooted`.

    Args:
        path: of the YAML file; None takes WF_CONFIG, then the project's configs/default.yaml, then the shipped one.
        overrides: what flags say, `prepare__max_bad` for prepare.max_bad; None where a flag was not given.
        environment: the variables; os.environ if None.
        root: the project folder; `Path()` is the current folder, which paths then stay relative to.

    Raises:
        ConfigError: rows Y01 to Y07: the file, or a value in any of the sources.
    """
    environment = os.environ if environment is None else environment
    file = path or _named(environment) or (ours if (ours := root / _DEFAULT).is_file() else shipped() / _DEFAULT)
    _check_exists(file)
    settings = {name: value for name, value in yaml.read(file).items() if value is not None}  # an empty block
    origins: dict[tuple[str, ...], str] = {}
    for name, value in sorted(environment.items()):
        if name.startswith(_PREFIX) and name not in (_FILE, VARIABLE):
            steps = tuple(name.removeprefix(_PREFIX).lower().split("__"))
            _lay(settings, steps, yaml.parse(f"value: {value}", f"environment variable {name}").get("value"))
            origins[steps] = f"environment variable {name}"
    for name, value in overrides.items():
        if value is not None:
            steps = tuple(name.split("__"))
            _lay(settings, steps, value)
            origins[steps] = f"--{steps[-1].replace('_', '-')}"
    check(settings, file, origins)
    return rooted(_with_shipped_nets(typed(settings, Config), root), root)


def _named(environment: Mapping[str, str]) -> Path | None:
    return Path(environment[_FILE]) if environment.get(_FILE) else None


def _check_exists(file: Path) -> None:
    if file.exists():
        return
    beside = sorted(path.as_posix() for path in file.parent.glob("*.yaml")) if file.parent.is_dir() else []
    hint = did_you_mean(file.as_posix(), beside) or "wf init makes a project folder with configs/default.yaml"
    raise ConfigError(f"config not found: {file}", hint=hint, fault="Y01")


def _lay(settings: dict[str, Any], steps: tuple[str, ...], value: Any) -> None:
    """Set a value over the existing one; what should be a block and is not is left for validation."""
    for step in steps[:-1]:
        inner = settings.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        settings = inner
    settings[steps[-1]] = value


def _with_shipped_nets(config: Config, root: Path) -> Config:
    """Without `wf init`, the project has no prototxt/: take the shipped files of those names."""
    found = {
        name: shipped() / path
        for name in ("solver", "deploy")
        if not (root / (path := getattr(config.train, name))).parent.exists() and (shipped() / path).is_file()
    }
    return structs.replace(config, train=structs.replace(config.train, **found))
