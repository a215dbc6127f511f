"""Settings from YAML, frozen. The net and the solver are configured by prototxt; these settings are for the rest.

The strict YAML reader is in `formats.yaml`; flags and `WF_…` variables are laid over it by `load`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from msgspec import Meta, Struct, convert, structs, to_builtins

from workflow.paths import recorded

T = TypeVar("T")

Name = Annotated[str, Meta(min_length=1)]
Level = Annotated[int, Meta(ge=0, le=255)]
Side = Annotated[int, Meta(ge=1, le=4096)]
Count = Annotated[int, Meta(ge=1)]
MAX_PIXELS = 50_000_000
"""The most pixels of a picture that is decoded, unless the settings say otherwise."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Frozen; what is read from a document must have exactly the types and the range of its fields."""


def typed(value: Any, kind: type[T]) -> T:
    """A part of a YAML or JSON document as a value of a type, a `Settings` or what is in one.

    Raises:
        msgspec.ValidationError: it is not; the message says where.
    """
    return convert(value, kind, dec_hook=_path)


def untyped(value: Any) -> Any:
    """The counterpart of `typed`: of dictionaries, sequences, text, numbers and None."""
    return to_builtins(value, enc_hook=os.fspath)


def _path(kind: type, value: Any) -> Path:
    """For msgspec, which does not know paths."""
    if kind is not Path or not isinstance(value, str | Path):
        raise TypeError("Expected a path")
    return Path(value)


class Preprocessing(Settings, frozen=True, kw_only=True):
    """How a picture file becomes the uint8 array (channels, height, width) that a net's data blob is made of.

    Recorded with every data set and followed by every reader: prepare, inspect, predict, evaluate.
    """

    width: Side = 32
    height: Side = 32
    channel_order: Literal["RGB", "BGR", "GRAY"] = "RGB"
    fit: Literal["squash", "crop", "pad"] = "squash"
    """squash ignores the aspect ratio, as Caffe's tools do; crop keeps the centre; pad adds background."""
    kernel: Literal["bilinear", "bicubic", "lanczos", "box", "opencv"] = "bilinear"
    """Pillow's antialiased kernels; opencv is convert_imageset's two-tap bilinear without antialiasing."""
    background: tuple[Level, Level, Level] = (255, 255, 255)
    """What shows through transparent pixels and fills the borders of `pad`: R, G, B in 0..255."""

    @property
    def channels(self) -> int:
        """1 for GRAY, else 3."""
        return 1 if self.channel_order == "GRAY" else 3

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width), the axes of a Datum."""
        return self.channels, self.height, self.width


class Split(Settings, frozen=True, kw_only=True):
    """Which pictures are test and validation pictures: decided by a hash of the file's bytes, never by position."""

    test: Annotated[float, Meta(gt=0, lt=1)] = 0.2
    """Share of test pictures where the folders do not say train/ and test/ themselves."""
    validation: Annotated[float, Meta(ge=0, lt=1)] = 0.1
    """Share of validation pictures, likewise; they choose the best snapshot. 0: the test pictures choose it."""

    def __post_init__(self) -> None:
        if self.test + self.validation >= 1:
            raise ValueError(
                f"validation: got {self.validation}, expected less than what a test share of {self.test} leaves"
            )


class Prepare(Settings, frozen=True, kw_only=True):
    """Settings of `wf prepare`: tolerances and number of processes."""

    max_bad: Annotated[float, Meta(ge=0, le=1)] = 0.05
    """Share of unreadable files above which preparation stops: probably a broken copy."""
    max_pixels: Count = MAX_PIXELS
    on_conflict: Literal["stop", "skip"] = "stop"
    """What to do with the same bytes in two classes."""
    workers: Count | None = None
    """Decoding processes; None is one for each core."""
    seed: Annotated[int, Meta(ge=0)] = 1
    """Seed of the shuffled order of the records."""


class Train(Settings, frozen=True, kw_only=True):
    """Settings of a training run that the solver's prototxt cannot contain."""

    solver: Path = Path("prototxt/cifar10_quick_solver.prototxt")
    """Its `net:` names the train_test net, relative to the project folder or to the solver's own."""
    deploy: Path = Path("prototxt/cifar10_quick_deploy.prototxt")
    engine: Literal["torch", "caffe"] = "torch"
    threads: Count | None = None
    """None leaves it to the engine: all cores for torch, one for caffe (its fastest)."""
    precision: Literal["float32", "bfloat16"] = "float32"
    balance: Literal["none", "loss"] = "none"
    """`loss`: in training a rare class counts as much as a common one, by InfogainLoss in place of SoftmaxWithLoss."""
    patience: Count | None = None
    """Test passes in a row without a better one after which training ends; None trains to max_iter, as Caffe does."""
    passes: Count | None = None
    """The most passes over the training pictures: a small set gets a shorter schedule than the solver's. None: its."""
    device: Literal["cpu", "cuda"] | None = None
    """For torch; None follows the solver's `solver_mode`, and is the CPU where there is none."""
    workers: Count = 1
    """Processes that train one net together, each with one thread unless `threads` says how many."""
    batch: Literal["split", "each"] = "split"
    """`split`: the workers share a batch. `each`: each computes a batch of its own, as with Caffe on several GPUs."""
    micro: Count | None = None
    """Micro-batches that a batch is split into; None is as many as the run was begun with, and workers at first."""
    interface: Name | None = None
    """Network interface between hosts; None is the one that has this host's address."""


class Cluster(Settings, frozen=True, kw_only=True):
    """Where work on many pictures is done: on this machine, or on all that Ray knows."""

    address: Name | None = None
    """None is this machine; `local` starts Ray on it; `ray://head:10001`, or `head:6379` from one of Ray's machines."""
    workers: Count | None = None
    """Parts that are done at once; None is one for each processor core of the cluster."""
    part: Count = 500
    """Files in one part: the answers to it come back together."""
    attempts: Count = 5
    """Deaths of workers at one part after which it is done last, and its pictures alone if need be."""
    start_timeout: Count = 60
    """Seconds that Ray has to answer in when it is first asked."""


class Config(Settings, frozen=True, kw_only=True):
    """One project's settings; every path in the YAML is relative to the project folder.

    As loaded, the project is the current folder, and paths stay relative to it. `rooted` gives the same settings for
    a project anywhere.
    """

    images: tuple[Path, ...] = (Path("images"),)
    generations: Path = Path("generations")
    classes: tuple[Name, ...] | None = None
    """Fixes the classes and their order; None appends the folders' new names to the last generation's."""
    preprocessing: Preprocessing = Preprocessing()
    split: Split = Split()
    prepare: Prepare = Prepare()
    train: Train = Train()
    cluster: Cluster = Cluster()
    project: Path = Path()
    """The project folder: absolute, or `Path()` for the current folder. Not a setting."""

    @property
    def inbox(self) -> Path:
        """The inbox's folder: inbox/, beside the folder of the generations."""
        return self.generations.parent / "inbox"

    def recorded(self) -> dict[str, Any]:
        """The settings as generation.json records them: paths below the project folder are relative to it."""
        settings: dict[str, Any] = untyped(self)
        del settings["project"], settings["cluster"]  # it changes no result
        settings["images"] = [recorded(path, self.project) for path in self.images]
        settings["generations"] = recorded(self.generations, self.project)
        for name in ("solver", "deploy"):
            settings["train"][name] = recorded(getattr(self.train, name), self.project)
        return settings


def rooted(config: Config, root: Path) -> Config:
    """The settings of a project in `root`, with absolute paths that do not depend on the current folder.

        settings = rooted(Config(), Path("mybot"))     # settings.generations is /home/me/mybot/generations

    Everything that takes a `Config` works on that project then, in any thread, and hands out absolute paths; files in
    the project hold the same bytes as those that a command writes in the project folder.

    Args:
        config: as loaded, not rooted yet.
        root: the project folder; `Path()` leaves the settings as they are, relative to the current folder.
    """
    if root == Path():
        return config
    project = Path(os.path.abspath(root))  # noqa: PTH100  # links in the path are the user's to keep
    train = structs.replace(config.train, solver=project / config.train.solver, deploy=project / config.train.deploy)
    images = tuple(project / folder for folder in config.images)
    return structs.replace(
        config, images=images, generations=project / config.generations, train=train, project=project
    )
