"""The table of commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from running import RECORDED, Run

from workflow.cli.app import GROUPS, NAMES

CALLED = sorted(NAMES - GROUPS.keys())
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
ROOT = Path(__file__).parents[2]


def test_wf_alone_shows_help(wf: Run) -> None:
    assert wf().out == wf("--help").out
    for name in NAMES:
        assert f"\n  {name}" in wf().out


@pytest.mark.parametrize("name", CALLED)
def test_every_command_has_help_with_the_common_options(name: str, wf: Run) -> None:
    shown = wf(name, "--help").out
    assert max(map(len, shown.splitlines())) <= 80
    assert "..." not in shown.splitlines()[2]  # a first sentence of one line
    for option in ("--config", "--json", "--debug", "--quiet", "--help"):
        assert option in shown
    summary = next(line for line in wf("--help").out.splitlines() if line.startswith(f"  {name} "))
    assert not summary.endswith("...")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_command_is_in_the_readme(name: str) -> None:
    assert f"`wf {name}" in README


def test_the_keys_of_every_command_are_recorded() -> None:
    recorded = {line.split()[0] for line in json.loads(RECORDED.read_text(encoding="utf-8"))}
    assert NAMES - recorded == {"serve"}  # which answers over HTTP


def test_no_summary_is_cut_at_80_columns(wf: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for shown in (wf("--help").out, *(wf(name, "--help").out for name in GROUPS)):
        assert [line for line in shown.splitlines()[1:] if line.endswith("...")] == []


def test_version(wf: Run) -> None:
    assert wf("--version").out.startswith("wf 0.")
    assert wf("version").out == wf("--version").out


def test_help_is_a_command_too(wf: Run) -> None:
    assert wf("help").out == wf("--help").out
    assert wf("help", "twin").out == wf("twin", "--help").out
    assert wf("help", "net", "show").out == wf("net", "show", "--help").out
    assert "no such command 'twn'" in wf("help", "twn", code=2).err


def test_a_shell_completes_commands(wf: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_WF_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "wf ins")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert wf().out.split() == ["plain,inspect"]


def test_completion_is_installed_once(wf: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--install-completion" in wf("--help").out
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", "/bin/bash")
    (tmp_path / ".bashrc").write_text("alias ll='ls -l'")
    wf("--install-completion")
    assert str(tmp_path / ".bashrc") in wf("--install-completion").err
    lines = (tmp_path / ".bashrc").read_text().splitlines()
    assert lines == ["alias ll='ls -l'", 'eval "$(_WF_COMPLETE=bash_source wf)"']
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    assert "no completion for the shell 'tcsh'" in wf("--install-completion", code=2).err


def test_a_misspelt_command_is_guessed(wf: Run) -> None:
    ran = wf("preprae", code=2)
    assert "no such command 'preprae'" in ran.err
    assert "'prepare'" in ran.err


@pytest.mark.parametrize(
    "arguments", [("--config", "x.yaml", "--json", "train"), ("train", "--config", "x.yaml", "--json")]
)
def test_common_options_stand_before_or_behind_the_command(arguments: tuple[str, ...], wf: Run) -> None:
    ran = wf(*arguments, code=2)
    assert ran.json["error"]["message"] == "config not found: x.yaml"
    assert ran.json["error"]["id"] == "Y01"
    assert "error: config not found: x.yaml" in ran.err


def test_usage_errors_are_json_too(wf: Run) -> None:
    ran = wf("inspect", "--json", code=2)
    assert "IMAGE" in ran.json["error"]["message"]
    assert ran.json["error"]["hint"] == "wf inspect --help"


@pytest.mark.parametrize("arguments", [("next", "--apply"), ("-C", ".", "next", "--apply"), ("next", "--nope")])
def test_the_hint_of_a_usage_error_names_the_command(arguments: tuple[str, ...], wf: Run) -> None:
    assert "hint: wf next --help" in wf(*arguments, code=2).err
