"""A trained net with everything needed to run a picture through it: weights, classes, preprocessing, mean."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.config import MAX_PIXELS, Cluster, Preprocessing
from workflow.data.transform import Transform
from workflow.engines import choose
from workflow.engines.base import Array, Session
from workflow.errors import ModelError, NetError, UsageError, did_you_mean
from workflow.formats import caffe_pb2
from workflow.generations import Generation
from workflow.generations.places import Place
from workflow.models.deploy import outputs_differ
from workflow.net.build import build
from workflow.net.spec import NetSpec
from workflow.paths import PathOrAddress

Pictures = Sequence[NDArray[np.generic]] | NDArray[np.generic]
"""(C, H, W) each, all of one size."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A loaded model; nothing in it depends on the engine."""

    name: str
    """`gen5/iter_6000`, or the path of a model from elsewhere."""
    net: caffe_pb2.NetParameter
    """The deploy net, upgraded."""
    source: Path
    """The file that it was read from."""
    weights: caffe_pb2.NetParameter
    classes: tuple[str, ...] | None
    """In the order of the net's outputs; None for a model from elsewhere without labels: they are numbered then."""
    preprocessing: Preprocessing
    transform: Transform
    input: str
    """The blob that a picture goes into."""
    output: str | None
    """The blob of probabilities, None for a net without a Softmax layer."""
    generation: Generation | None = None
    iteration: int | None = None
    temperature: float | None = None
    """Temperature of its calibrated confidence, see `exams.temperature`; None where none was fitted."""
    file: Path | None = None
    """The weights' file; files that belong to them are beside it."""
    max_pixels: int = MAX_PIXELS
    cluster: Cluster = field(default_factory=Cluster)
    """Where many pictures are shown to it."""
    project: Path = Path()
    """The folder that paths in the net are relative to; `Path()` is the current folder."""

    @property
    def place(self) -> Place:
        """The paths of results about it."""
        snapshot = Path(self.name).stem if self.iteration is None else f"iter_{self.iteration}"
        return Place(home=self.project if self.generation is None else self.generation.folder, snapshot=snapshot)

    def open(self, engine: str | None = None, *, images: int = 1, ignore: Sequence[str] = ()) -> Session:
        """A session on the net.

        Args:
            engine: the engine's name; None takes the fastest for the job.
            images: how many pictures there are.
            ignore: layers whose weights are not copied; their fillers fill them, so that a chosen engine has fillers.

        Raises:
            UsageError: no such engine.
            NetError, ModelError, EngineMissing: as `Engine.open`; also a layer that the weights do not know.
        """
        if ignore and engine is None:
            engine = "torch"
        runner = choose(self.net, engine, images=images)
        session = runner.open(self.net, self.weights, source=self.source, ignore=ignore, folder=self.project)
        known = {layer.name for layer in self.weights.layer}
        for layer in session.params:
            if layer not in known and layer not in ignore:  # some engines would fill it with random numbers
                session.__exit__(None, None, None)
                raise ModelError(
                    f"layer '{layer}' of {self.source} has parameters, but {self.name} has none for it",
                    hint="do the weights belong to this net?",
                    fault="C02",
                )
        return session

    def read(self, image: PathOrAddress | bytes) -> NDArray[np.uint8]:
        """The picture as a record of the training set would hold it: uint8 (C, H, W), by the one decode path.

        Raises:
            PictureError, DataError: it cannot be read (I01).
            EnvironmentFault: it cannot be read (permission denied).
        """
        from workflow.data.pictures import decode  # with Pillow, which answers that are known do not need

        return decode(image, self.preprocessing, max_pixels=self.max_pixels)

    def blob(self, pictures: Pictures) -> Array:
        """The net's input blob for pictures of (C, H, W): float32 (N, C, h, w), as the test net's Data layer has it."""
        return self.transform.apply(np.asarray(pictures), phase="TEST")

    def forward(
        self,
        session: Session,
        pictures: Pictures,
        blobs: Collection[str] | None = None,
        *,
        copies: Collection[str] = (),
    ) -> dict[str, Array]:
        """Every blob of the net, or those asked for, for pictures of (C, H, W).

        The copies that Split layers make of a blob are left out, but for those named by `blobs` or `copies`.
        """
        values = session.forward(blobs, **{self.input: self.blob(pictures)})
        if blobs is not None:
            return values
        hidden = self._copies.difference(copies)
        return {name: array for name, array in values.items() if name not in hidden}

    @cached_property
    def _spec(self) -> NetSpec:
        return build(self.net, phase="TEST", source=self.source)

    @cached_property
    def _copies(self) -> frozenset[str]:
        return frozenset(top for layer in self._spec.layers if layer.type == "Split" for top in layer.tops)

    def probabilities(self, blobs: Mapping[str, Array]) -> Array | None:
        """The probability of each class, float32 (N, classes); None for a net without a Softmax layer.

        Raises:
            NetError: X06, there are more or fewer outputs than classes, or several for each picture.
        """
        if self.output is None:
            return None
        if not self.classifies(blobs):
            raise NetError(
                f"blob '{self.output}' is {blobs[self.output].shape}, expected one number for each class",
                hint="only wf inspect can show such a net",
            )
        scores = blobs[self.output]
        if self.classes is not None and scores.shape[1] != len(self.classes):
            raise outputs_differ(self.output, scores.shape[1], len(self.classes))
        return scores.reshape(len(scores), -1)

    def classifies(self, blobs: Mapping[str, Array]) -> bool:
        """Whether the last Softmax layer gives each picture one vector; detectors and segmentations have many."""
        scores = None if self.output is None else blobs[self.output]
        return scores is not None and scores.ndim > 1 and scores[0].size == scores.shape[1]

    def require_class(self, *names: str | None) -> None:
        """Check that the model knows a class, before anything slow is imported or run.

        Raises:
            UsageError: there is no such class; a model without names is not checked here.
        """
        for name in names:
            if name is not None and self.classes is not None and name not in self.classes:
                raise UsageError(f"no class '{name}'", hint=did_you_mean(name, self.classes))

    def require_unit(self, *units: str | None) -> None:
        """Check that the net has a blob, as `require_class` does.

        Args:
            units: `conv3`, or `conv3:17,2,3`.

        Raises:
            UsageError: I02, there is no such blob.
        """
        known = list(dict.fromkeys(top for layer in self._spec.layers for top in layer.tops))
        for unit in units:
            if unit is not None and (blob := unit.rpartition(":")[0] or unit) not in known:
                raise UsageError(f"no blob '{blob}'", hint=did_you_mean(blob, known), fault="I02")

    def class_name(self, index: int) -> str:
        """The name of a class, its number if it has none."""
        return str(index) if self.classes is None else self.classes[index]
