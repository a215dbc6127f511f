"""Install the completion of commands and options in the user's shell."""

from __future__ import annotations

import os
from pathlib import Path

from workflow.cli.console import Console
from workflow.errors import UsageError

_SHELLS = {
    "bash": (".bashrc", 'eval "$(_WF_COMPLETE=bash_source wf)"'),
    "zsh": (".zshrc", 'eval "$(_WF_COMPLETE=zsh_source wf)"'),
    "fish": (".config/fish/completions/wf.fish", "_WF_COMPLETE=fish_source wf | source"),
}
"""Shell -> file below the home folder, and the line that click's documentation gives for it."""


def install(console: Console) -> None:
    """Add the line to the start-up file of the shell in $SHELL, once.

    Raises:
        UsageError: the shell is not one of bash, zsh and fish.
        OSError: as the operating system says it.
    """
    shell = Path(os.environ.get("SHELL", "")).name
    if shell not in _SHELLS:
        known = ", ".join(_SHELLS)
        raise UsageError(
            f"no completion for the shell '{shell}', expected one of {known}", hint="SHELL=bash wf --install-completion"
        )
    name, line = _SHELLS[shell]
    path = Path.home() / name
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if line not in text.splitlines():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + ("\n" if text and not text.endswith("\n") else "") + line + "\n", encoding="utf-8")
    console.say(f"wf is completed by {shell}: {path} has the line for it; open a new shell")
