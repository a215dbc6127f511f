"""The paths of all results about a generation, a snapshot, an exam or a picture.

    generations/gen5/
      inspect/false-1f3a9c02-iter_6000/       about one picture: conv1.png, twin.png, ledger.png, page.html …
      inspect/false-1f3a9c02-film/            one picture in all snapshots, or (-generations) in all generations
      vision/iter_6000/dream/                 about a whole snapshot: channels/, dream/, decoders/
      evaluation/iter_6000/gen5-test/         about an exam: answers.npz, predictions.csv, confusion.png, diff-…/
      evaluation/iter_6000/suspects/          about the labels
      evaluation/colours.json                 about the data set
      report.html

Results about a model from elsewhere go to inspect/ and vision/ of the project folder. A picture is known by the name
and the bytes of its file, so that pictures of one name in two folders do not overwrite each other's results.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workflow.generations.folder import Generation
from workflow.storage import sha256

INSPECT, VISION, EVALUATION = "inspect", "vision", "evaluation"
_KEY = 8  # hexadecimal digits of a hash in a name


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the results of one snapshot go; nothing is made here."""

    home: Path
    """The generation's folder, or the project folder for a model from elsewhere."""
    snapshot: str
    """`iter_6000`, or the name of a model file without its ending."""

    def picture(self, image: Path) -> Path:
        """About one picture: inspect/STEM-KEY-iter_6000/."""
        return self.home / INSPECT / f"{image.stem}-{picture_key(image)}-{self.snapshot}"

    def comparison(self, images: Sequence[Path]) -> Path:
        """About several pictures side by side: inspect/ONE-and-OTHER-KEY-iter_6000/."""
        first, *others = (image.stem for image in images)
        more = "".join(f"-and-{other}" for other in others[:2]) + (f"-and-{len(others) - 2}-more" if others[2:] else "")
        key = _short("".join(map(picture_key, images)).encode()) if others else picture_key(images[0])
        return self.home / INSPECT / f"{first}{more}-{key}-{self.snapshot}"

    def whole(self, name: str) -> Path:
        """About the snapshot as a whole: vision/iter_6000/NAME/ for `channels`, `dream`, `decoders`."""
        return self.home / VISION / self.snapshot / name

    def exam(self, name: str, *, elsewhere: Path | None = None) -> Path:
        """About an exam: evaluation/iter_6000/NAME/.

        Args:
            name: `gen5/test`, or the folder's path as the project's files hold it.
            elsewhere: for a folder of pictures: its path, which tells folders of one name apart.
        """
        slug = re.sub(r"[^\w.-]+", "-", name).strip("-.")[-60:] or "exam"
        if elsewhere is not None:
            slug += "-" + _short(os.fsencode(elsewhere.absolute()))
        return self.evaluation / slug

    @property
    def suspects(self) -> Path:
        """About the labels of the generation's pictures: evaluation/iter_6000/suspects/."""
        return self.evaluation / "suspects"

    @property
    def evaluation(self) -> Path:
        """About all exams of the snapshot: evaluation/iter_6000/."""
        return self.home / EVALUATION / self.snapshot


def picture_key(image: Path) -> str:
    """Hash of a picture file's bytes, 8 hexadecimal digits; of its path where it cannot be read.

    The error is raised where the picture is read.
    """
    try:
        return sha256(image)[:_KEY] if image.is_file() else _short(os.fsencode(image))
    except OSError:
        return _short(os.fsencode(image))


def film(generation: Generation, image: Path) -> Path:
    """About one picture in all snapshots of a generation."""
    return generation.folder / INSPECT / f"{image.stem}-{picture_key(image)}-film"


def generations_film(generation: Generation, image: Path) -> Path:
    """About one picture in several generations, the newest of which this is."""
    return generation.folder / INSPECT / f"{image.stem}-{picture_key(image)}-generations"


def colours(generation: Generation) -> Path:
    """The baseline that knows nothing but colours, of a generation's data set."""
    return generation.original.folder / EVALUATION / "colours.json"


def report(generation: Generation) -> Path:
    """The page about a generation."""
    return generation.folder / "report.html"


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_KEY]
