"""What wf tells of the five generations that scripts/story made, held against the script's own record."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WF = Path(__file__).resolve().parents[1] / ".venv" / "bin" / "wf"
LAST = 5
DEPTHS = {3: 0.0, 6: 6.0, 10: 0.0}
"""Depth of the list of suspects in per cent -> how many times chance it must reach."""


def wf(project: Path, *arguments: object) -> Any:
    """Run wf with --json in the project; its progress stays visible."""
    print("wf", *arguments, flush=True)
    command = [str(WF), "--json", *map(str, arguments)]
    done = subprocess.run(command, cwd=project, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"wf {' '.join(map(str, arguments))} ended with status {done.returncode}")
    return json.loads(done.stdout)


class Telling:
    """Runs the judging commands and prints a line for each thing that they say."""

    def __init__(self, project: Path, rounds: Sequence[Mapping[str, Any]], truth: Mapping[str, str]) -> None:
        self.project = project
        self.rounds = rounds
        self.truth = truth
        self.labels: Mapping[str, str] = rounds[-1]["labels"]
        self.lines: list[tuple[bool, str, str]] = []

    @property
    def all_right(self) -> bool:
        """Whether everything was told as it was."""
        return all(right for right, _, _ in self.lines)

    def tell(self) -> None:
        """Ask every command; print what was found."""
        self.log()
        for before in (1, LAST - 1):
            self.diff(before, LAST)
        self.blame()
        self.why()
        listed = self.suspects()
        self.junk()
        self.following()
        self.report()
        self.corrections(listed)
        for right, what, words in self.lines:
            print(f"{'ok    ' if right else 'WRONG '} {what:28} {words}")

    def log(self) -> None:
        """Who came and went with each generation."""
        told = wf(self.project, "log")["generations"]
        for record, one in zip(self.rounds, told, strict=True):
            changes = one["changes"]
            relabelled = {
                Path(each["path"]).name: [each["before"], each["after"]] for each in changes["relabelled_pictures"]
            }
            right = (
                one["generation"] == record["generation"]
                and changes["added"] == len(record["added"])
                and sorted(Path(path).name for path in changes["removed_pictures"]) == record["removed"]
                and relabelled == record["relabelled"]
                and sum(one["pictures"].values()) == len(record["labels"])
            )
            words = f"{changes['added']} added, {changes['removed']} removed, {changes['relabelled']} relabelled, "
            self._line(
                right, f"log, generation {one['generation']}", words + f"accuracy {one['test_accuracy'] or 0:.3f}"
            )

    def diff(self, before: int, after: int) -> None:
        """Fixed and broken, against what `wf predict` says of the same pictures."""
        told = wf(self.project, "diff", f"gen{before}", f"gen{after}")
        exam = self._test_pictures(after)
        right_before, right_after = (self._right(told[side], exam) for side in ("before", "after"))
        mine = {
            "fixed": right_after - right_before,
            "broken": right_before - right_after,
            "still_wrong": set(exam) - right_before - right_after,
        }
        right = told["pictures"] == len(exam) and all(set(told[name]) == found for name, found in mine.items())
        words = ", ".join(f"{len(told[name])} {name.replace('_', ' ')}" for name in mine)
        self._line(
            right, f"diff gen{before} gen{after}", f"{words}; p {told['p_value']:.2g}; {told['verdict']['outcome']}"
        )

    def blame(self) -> None:
        """Who brought a picture in, with which label: one picture of each round, and relabelled ones."""
        corrected = dict(self.rounds[3]["relabelled"])
        asked = [next(name for name in record["added"] if name in self.labels) for record in self.rounds]
        asked += [name for name in corrected if name in self.labels][:2]
        right = 0
        for name in asked:
            told = wf(self.project, "blame", self._path(name))
            first = corrected[name][0] if name in corrected else self.labels[name]
            born = next(record["generation"] for record in self.rounds if name in record["added"])
            moved = [each["generation"] for each in told["history"] if each["event"] == "relabelled"]
            right += (
                told["brought_by"] == f"gen{born}"
                and told["first_label"] == first
                and told["label"] == self.labels[name]
                and moved == (["gen4"] if name in corrected else [])
            )
        self._line(right == len(asked), "blame", f"{right} of {len(asked)} pictures")

    def why(self) -> None:
        """Sums, for wrong answers of the last generation."""
        wrong = wf(self.project, "mistakes")["mistakes"][:5]
        errors = [wf(self.project, "why", one["path"])["sum_error"] for one in wrong]
        self._line(
            max(errors) <= 1e-4,
            "why",
            f"the contributions sum to the logit, within {max(errors):.0e} ({len(errors)} pictures)",
        )

    def suspects(self) -> dict[str, Any]:
        """Precision and recall at three depths."""
        count = len(self.labels)
        told = wf(self.project, "suspects", "--top", count)
        listed = [Path(one["path"]).name for one in told["suspects"]]
        wrong = set(self.rounds[-1]["wrong"])
        for depth, bar in DEPTHS.items():
            first = round(count * depth / 100)
            found = len(wrong.intersection(listed[:first]))
            times = found / len(wrong) / (depth / 100)
            words = f"precision {found / first:.2f}, recall {found / len(wrong):.2f}, {times:.1f} times chance"
            self._line(times >= bar, f"suspects, first {depth} %", f"{words}{f' (bar {bar:g})' if bar else ''}")
        return told

    def junk(self) -> None:
        """How many are taken for a cat, against what `wf predict` says."""
        told = wf(self.project, "junk", "junk")
        answers = wf(self.project, "predict", "junk")["predictions"]
        accepted = sum(one["probabilities"]["cat"] >= told["now"]["threshold"] for one in answers)
        over = sum(one["probabilities"]["cat"] >= (told["threshold"] or 2) for one in answers)
        right = told["count"] == len(answers) and told["now"]["accepted"] == accepted
        right &= told["threshold"] is None or over / len(answers) == told["false_accept_rate"] < 0.01
        words = f"{accepted} of {told['count']} taken for a cat; {over} from threshold {told['threshold']} on"
        self._line(right, "junk", words)

    def following(self) -> None:
        """What to label next, out of the junk: none twice."""
        told = wf(self.project, "next", "junk", "--count", 20)
        paths = [one["path"] for one in told["next"]]
        self._line(
            len(set(paths)) == len(paths) > 0, "next", f"{len(paths)} of {len(list((self.project / 'junk').iterdir()))}"
        )

    def report(self) -> None:
        """One page that loads nothing."""
        page = Path(wf(self.project, "report")["path"])
        text = (self.project / page).read_text(encoding="utf-8")
        self._line("http://" not in text and "https://" not in text, "report", f"{len(text) / 1e6:.1f} MB, {page}")

    def corrections(self, told: Mapping[str, Any]) -> None:
        """The owner accepts what is really wrong among the first 6 %; the next generation obeys, and forgets again."""
        first = round(len(self.labels) * 0.06)
        table = self.project / told["csv"]
        with table.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        accepted = 0
        for row in rows[:first]:
            name = Path(row["path"]).name
            row["decision"] = "accept" if self.truth[name] != self.labels[name] else "refuse"
            accepted += row["decision"] == "accept"
        with table.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        wf(self.project, "suspects", "--apply", told["csv"])
        changed = wf(self.project, "prepare")["changes"]["relabelled"]
        wf(self.project, "suspects", "--undo")
        back = wf(self.project, "prepare", "--gen", LAST + 1, "--force")["changes"]["relabelled"]
        words = f"{accepted} of {first} accepted; {changed} relabelled by the next wf prepare, {back} after --undo"
        self._line((changed, back) == (accepted, 0), "suspects --apply, --undo", words)

    def _test_pictures(self, generation: int) -> dict[str, str]:
        """Path -> label."""
        manifest = self.project / "generations" / f"gen{generation}" / "dataset" / "images.jsonl"
        lines = map(json.loads, manifest.read_text(encoding="utf-8").splitlines())
        return {one["path"]: one["class"] for one in lines if one.get("split") == "test"}

    def _right(self, snapshot: str, exam: Mapping[str, str]) -> set[str]:
        """The test pictures that a snapshot gives their own label."""
        answers = wf(self.project, "predict", "images", "--snapshot", snapshot)["predictions"]
        return {one["path"] for one in answers if exam.get(one["path"]) == one["label"]}

    def _path(self, name: str) -> Path:
        return Path("images") / self.labels[name] / name

    def _line(self, right: bool, what: str, words: str) -> None:
        self.lines.append((right, what, words))
