"""External models: options and the deploy net supply what a generation would have recorded."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

import numpy as np
from msgspec import Struct, structs

from workflow.config import Preprocessing
from workflow.data.transform import Transform
from workflow.engines.base import Array
from workflow.errors import ModelError, NetError, UsageError, did_you_mean
from workflow.formats import caffe_pb2, labels
from workflow.formats.binaryproto import read_mean
from workflow.formats.numpy_mean import read_any_mean
from workflow.generations import Reference
from workflow.models.deploy import Deploy, check_outputs, read
from workflow.models.model import Model
from workflow.net.paths import inside
from workflow.words import by, counted

Order = Literal["RGB", "BGR", "GRAY"]
Size = tuple[int, int, int]  # (C, H, W)

_log = logging.getLogger("workflow")


class Flags(Struct, frozen=True, kw_only=True):
    """Options about the model; None where not given."""

    mean: str | None
    labels: Path | None
    channel_order: str | None
    scale: float | None


def refuse(flags: Flags, reference: Reference) -> None:
    """Refuse options for a snapshot whose generation recorded their values.

    Raises:
        UsageError: there is one.
    """
    for field, value in structs.asdict(flags).items():
        if value is not None:
            flag = f"--{field.replace('_', '-')}"
            raise UsageError(
                f"{flag} was given for {reference.name}, whose generation has recorded it already",
                hint=f"omit {flag}; it is for external models",
            )


def model(
    reference: Reference, weights: caffe_pb2.NetParameter, net: Path, flags: Flags, *, project: Path = Path()
) -> Model:
    """The model that the flags and the net describe.

    What the flags leave out is taken from the data layer of a training net, if that is what `net` is. Pictures are
    squashed to the size of the net's input; to the mean's, where that is larger and square: then the centre is cut
    out, as in a training with `crop_size`.

    Raises:
        PrototxtError, NetError: the net, as `deploy.read`; M02 the mean does not fit; X06 the labels do not.
        UsageError: a channel order or a mean that cannot be.
        ModelError: M01, M03 the mean; labels that cannot be read.
    """
    said = None if flags.mean is None else _read_mean(flags.mean)
    picture = said.shape if said is not None and said.shape[1:] != (1, 1) else None
    deploy = read(net, weights=weights, stored=picture, project=project)
    mean = _of_training(deploy, project) if said is None else _for_channels(said, flags.mean, deploy.shape[0])
    order = _channel_order(flags.channel_order, deploy)
    if mean is None:
        _log.warning("no mean was given: pictures are used as 0 to 255, unchanged")
    elif flags.channel_order is None:
        _warn_of_order(mean, order)
    stored = _stored(mean, deploy)
    classes = labels.read(flags.labels) if flags.labels is not None else None
    if classes is not None:
        check_outputs(deploy, classes)
    return Model(
        name=reference.name,
        net=deploy.net,
        source=deploy.source,
        weights=weights,
        classes=classes,
        preprocessing=Preprocessing(width=stored[2], height=stored[1], channel_order=order),
        transform=Transform(
            scale=_scale(flags.scale, deploy),
            mean=mean,
            crop=0 if stored == deploy.shape else deploy.shape[1],
        ),
        input=deploy.input,
        output=deploy.output,
    )


def _channel_order(asked: str | None, deploy: Deploy) -> Order:
    possible: dict[int, tuple[Order, ...]] = {1: ("GRAY",), 3: ("RGB", "BGR")}
    channels = deploy.shape[0]
    if channels not in possible:
        raise NetError(f"the net takes {channels} channels, expected 1 or 3", at=deploy.source)
    if asked is None and channels > 1 and deploy.data is not None and deploy.data.type in ("ImageData", "WindowData"):
        return "BGR"  # what OpenCV decodes
    for order in possible[channels]:
        if asked is None or asked.upper() == order:
            return order
    raise UsageError(
        f"--channel-order {asked}, but the net takes {counted(channels, 'channel')}: {' or '.join(possible[channels])}",
        hint=did_you_mean(str(asked).upper(), possible[channels]),
    )


def _read_mean(said: str) -> Array:
    """(C, H, W) from a file, (C, 1, 1) from numbers or from a file that holds one for each channel."""
    try:
        values = [float(number) for number in said.split(",")]
    except ValueError:
        return read_any_mean(Path(said))
    return np.array(values, np.float32)[:, None, None]


def _for_channels(mean: Array, said: str | None, channels: int) -> Array:
    """A mean picture as it is; numbers as one for each channel."""
    if mean.shape[1:] != (1, 1):
        return mean
    if len(mean) not in (1, channels) or not np.isfinite(mean).all():
        raise UsageError(f"--mean {said}: {len(mean)} numbers, expected one for each of {channels} channels")
    return np.resize(mean.ravel(), channels)[:, None, None]


def _of_training(deploy: Deploy, project: Path) -> Array | None:
    """The mean that the data layer of a training net names, where it is there."""
    if deploy.data is None:
        return None
    param = deploy.data.transform_param
    if param.mean_value:
        _log.warning("mean %s is that of layer '%s'", ",".join(f"{x:g}" for x in param.mean_value), deploy.data.name)
        return _for_channels(np.array(param.mean_value, np.float32)[:, None, None], None, deploy.shape[0])
    if param.mean_file and inside(param.mean_file, project) and (project / param.mean_file).is_file():
        _log.warning("mean %s is that of layer '%s'", param.mean_file, deploy.data.name)
        return read_mean(project / param.mean_file)
    return None


def _scale(said: float | None, deploy: Deploy) -> float:
    if said is not None or deploy.data is None:
        return 1.0 if said is None else said
    param = deploy.data.window_data_param if deploy.data.type == "WindowData" else deploy.data.transform_param
    if param.scale != 1:
        _log.warning("scale %g is that of layer '%s'", param.scale, deploy.data.name)
    return param.scale


_IMAGENET = (123, 117, 104)
"""The mean of ImageNet's red, green and blue, which nets trained on it have in the other order, BGR."""


def _warn_of_order(mean: Array, order: Order) -> None:
    """Warn if the mean looks like BGR but the order was not given, so RGB is used."""
    means = mean.mean(axis=(1, 2))
    if order == "RGB" and len(means) == 3 and np.abs(means - _IMAGENET[::-1]).max() < 1:
        _log.warning("the mean is that of ImageNet in the order BGR, but pictures go in as RGB: --channel-order BGR?")


def _stored(mean: Array | None, deploy: Deploy) -> Size:
    """The size that pictures are brought to before the mean is subtracted."""
    shape = deploy.shape
    if mean is None or mean.shape[1:] == (1, 1) or mean.shape == shape:
        return shape
    channels, height, width = mean.shape
    if channels != shape[0] or shape[1] != shape[2] or min(height, width) < shape[1]:
        raise ModelError(
            f"mean is {by(mean.shape)} but images are {by(shape)}",
            hint="give the mean of the data that the model was trained on, or numbers: --mean 104,117,123",
            fault="M02",
        )
    _log.warning(
        "mean is %s and the net takes %s: the centre of the resized picture is used, as in training with crop_size: %d",
        by(mean.shape),
        by(shape),
        shape[1],
    )
    return channels, height, width
