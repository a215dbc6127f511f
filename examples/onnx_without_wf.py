"""Label a picture with an exported snapshot, using only onnxruntime, numpy and Pillow; wf need not be installed.

    wf export --snapshot best --onnx pip.onnx
    python examples/onnx_without_wf.py pip.onnx picture.png

It follows the `rule` in the file's metadata, for the fit `squash` and Pillow's kernels. Prints JSON: class to
probability.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps


def main(model: str, picture: str) -> None:
    """Print the probability of each class."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    known = session.get_modelmeta().custom_metadata_map
    shape = json.loads(known["preprocessing"])
    order = shape["channel_order"]
    image = ImageOps.exif_transpose(Image.open(picture)).convert("RGBA")
    board = Image.new("RGBA", image.size, (*shape["background"], 255))
    image = Image.alpha_composite(board, image).convert("L" if order == "GRAY" else "RGB")
    image = image.resize((shape["width"], shape["height"]), getattr(Image.Resampling, shape["kernel"].upper()))
    x = np.asarray(image, np.float32)
    x = x[None] if order == "GRAY" else x.transpose(2, 0, 1)[:: -1 if order == "BGR" else 1]  # (C, H, W)
    if "mean" in known:
        mean = np.asarray(json.loads(known["mean"]), np.float32)
        x = x - (mean[:, None, None] if mean.ndim == 1 else mean)
    if crop := json.loads(known["crop"]):
        top, left = ((side - crop) // 2 for side in x.shape[1:])
        x = x[:, top : top + crop, left : left + crop]
    x = np.ascontiguousarray(x[None] * json.loads(known["scale"]), np.float32)
    (probabilities,) = session.run([known["output"]], {known["input"]: x})
    names = json.loads(known["classes"]) or range(probabilities.size)
    print(json.dumps({str(name): float(share) for name, share in zip(names, probabilities.ravel(), strict=True)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
