"""wf export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from workflow.cli.options import Call, Which
from workflow.cli.parameters import Option


def export(
    call: Call,
    which: Which,
    onnx: Annotated[Path | None, Option("--onnx", metavar="FILE", help="Write an ONNX model.")] = None,
    bundle: Annotated[
        Path | None, Option("--bundle", metavar="FILE.tar.gz", help="Write an archive of Caffe files.")
    ] = None,
) -> None:
    """Export a snapshot as ONNX or as a bundle of Caffe files.

    The ONNX file is checked with onnxruntime against wf's own engine before it is written, and contains how to
    preprocess pictures. A bundle holds the deploy net, the weights, the mean, the labels and info.json.

    wf export --snapshot gen5/best --onnx fox.onnx
    wf export --snapshot gen5/best --bundle fox.tar.gz
    """
    from workflow.errors import UsageError

    if onnx is None and bundle is None:
        raise UsageError("no output file", hint="--onnx FILE or --bundle FILE.tar.gz")
    for flag, path, endings in (("--onnx", onnx, (".onnx",)), ("--bundle", bundle, (".tar.gz", ".tgz"))):
        if path is not None and not path.name.endswith(endings):
            raise UsageError(f"{flag} {path}: expected a name that ends in {' or '.join(endings)}")
    chosen = which.load(call.project())
    document: dict[str, Any] = {"snapshot": chosen.name}
    lines = [f"{chosen.name} exported"]
    if onnx is not None:
        worst, allowed = chosen.export_onnx(onnx)
        document |= {"onnx": str(onnx), "difference": worst}
        lines.append(
            f"  ONNX    {onnx}  (largest relative difference in onnxruntime: {worst:.0e}; allowed: {allowed:.0e})"
        )
    if bundle is not None:
        names = chosen.export_bundle(bundle)
        document |= {"bundle": str(bundle), "files": names}
        lines.append(f"  bundle  {bundle}  ({', '.join(names)})")
    call.console.result(document, "\n".join(lines))
