"""A training run in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow.words import CHOSEN_BY_TEST, counted, duration, share


def describe(facts: Mapping[str, Any]) -> str:
    """The summary of a training run."""
    seconds = facts["seconds"]
    lines = [f"generation {facts['generation']}: {facts['iterations']:,} iterations, {_tested(facts)}"]
    if lost := facts["lost_patience"]:
        passes = f"{lost:,} test pass{'es' * (lost > 1)}"
        lines.append(f"ended before max_iter: no better {facts['solver_split']} accuracy in {passes}")
    lines += _course(facts)
    snapshots = facts["snapshots"]
    if snapshots:
        number = "1 snapshot," if len(snapshots) == 1 else f"{len(snapshots)} snapshots, the last is"
        lines.append(f"{number} {snapshots[-1]['path']}")
    if facts["seconds_per_iteration"]:
        lines.append(f"{facts['engine']}, {duration(seconds)}, {facts['seconds_per_iteration']:.4f} s an iteration")
    lines += [
        f"seed {one['seed']}: best {one['best']}, test accuracy {share(one['best_accuracy'])}"
        for one in facts.get("seeds", ())
    ]
    if band := facts.get("band"):
        low, high = band["range"]
        lines.append(f"{band['seeds']} seeds: {band['mean']:.4f} ± {band['sd']:.4f}, {low:.4f} to {high:.4f}")
    lines += [f"warning: {one}" for one in facts["warnings"]]
    if snapshots:
        lines.append(f"next: wf evaluate --gen {facts['generation']}")
    return "\n".join(lines)


def _course(facts: Mapping[str, Any]) -> list[str]:
    """What to compare the accuracy with, where it was best, and whether the loss has grown since."""
    lines = []
    if facts["accuracy"] is not None and facts["always"] is not None:
        lines.append(facts["always"]["words"])
    best, split, test = facts["best"], facts["solver_split"], facts["test"]
    if best is not None:
        loss = "" if best["loss"] is None else f", {split} loss {best['loss']:.4f}"
        line = f"best at iteration {best['iteration']:,}: {split} accuracy {best['accuracy']:.4f}{loss}"
        if not best["snapshot"]:
            line += f" (not snapshotted; the best snapshot is {facts['best_snapshot']})"
        lines.append(line)
    if facts["grown"] is not None:
        lines.append(facts["grown"]["words"])
    if facts["chosen_by_test"]:
        lines.append(CHOSEN_BY_TEST)
    if split != "test" and test is not None:
        low, high = test["interval"]
        lines.append(
            f"test accuracy of {facts['best_snapshot']}: {test['accuracy']:.4f}, 95 % interval {low:.4f} to {high:.4f} "
            f"({counted(test['count'], 'picture')})"
        )
    return lines


def _tested(facts: Mapping[str, Any]) -> str:
    """The last test, and of which iteration it is where that is not the end: a run that was stopped."""
    names = {"accuracy": "accuracy", "balanced accuracy": "balanced_accuracy", "loss": "loss"}
    if share(facts["balanced_accuracy"]) == share(facts["accuracy"]):
        del names["balanced accuracy"]
    found = ((f"{facts['solver_split']} {word}", facts[name]) for word, name in names.items())
    numbers = ", ".join(f"{name} {value:.4f}" for name, value in found if value is not None)
    if not numbers:
        return "not tested"
    if facts["tested_at"] == facts["iterations"]:
        return numbers
    return f"not tested since iteration {facts['tested_at']:,} ({numbers} there)"
