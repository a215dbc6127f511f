"""wf predict."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Annotated

from workflow.cli.options import Call, Cluster, Engine, IgnoreMismatch, Which, listed
from workflow.cli.parameters import Argument, Option
from workflow.paths import PathOrAddress


def predict(
    call: Call,
    which: Which,
    paths: Annotated[
        list[PathOrAddress] | None,
        Argument(metavar="PATH", help="Pictures, folders or tars of them, or addresses: s3://BUCKET/PILE."),
    ] = None,
    lists: Annotated[
        list[Path] | None, Option("--list", metavar="FILE", help="List of pictures, one on each line (repeatable).")
    ] = None,
    csv: Annotated[Path | None, Option("--csv", metavar="FILE", help="Also write the labels to a CSV file.")] = None,
    sort: Annotated[
        Path | None,
        Option("--sort", metavar="DIR", help="Make folders DIR/CLASS/ of links to the pictures, most confident first."),
    ] = None,
    copy: Annotated[bool, Option("--copy", help="With --sort: make copies instead of links.")] = False,
    accept_all: Annotated[bool, Option("--accept-all", help="Always give a class, never `unknown`.")] = False,
    out: Annotated[
        PathOrAddress | None,
        Option("--out", metavar="DIR", help="With --share, --cluster or --gather: a folder that all machines see."),
    ] = None,
    share: Annotated[
        str | None, Option("--share", metavar="K/N", help="Label share K of N, from 1/N to N/N; see --gather.")
    ] = None,
    gather: Annotated[bool, Option("--gather", help="Give the labels once all shares in --out DIR are done.")] = False,
    cluster: Cluster = None,
    engine: Engine = None,
    ignore_mismatch: IgnoreMismatch = None,
) -> None:
    """Label pictures or whole folders.

    A picture that is too far from the training pictures is `unknown`; the most probable class follows in brackets.
    --share K/N labels one of N shares of the pictures; --gather gives the labels of all. --cluster ADDRESS shares them
    among the machines of a Ray cluster.

    wf predict incoming/ --csv labels.csv
    wf predict incoming/ --sort sorted/
    wf predict a.png b.jpg --snapshot gen4/best
    wf predict shard-000.tar shard-001.tar
    wf predict --list pictures.txt
    wf predict pile/ --out /common/answers --share 3/64
    wf predict pile/ --out /common/answers --gather
    wf predict s3://bucket/pile --out s3://bucket/answers --share 3/64
    """
    from workflow.errors import UsageError

    if not paths and not lists:
        raise UsageError("missing argument 'PATH'", hint="wf predict --help")
    if copy and sort is None:
        raise UsageError("--copy needs --sort", hint="--sort DIR --copy")
    if cluster is not None and out is not None and not gather:
        share = share or "1/1"
    if (share is not None) + gather != (out is not None):
        raise UsageError(
            "--out DIR goes with --share K/N, --cluster ADDRESS or --gather", hint="--out DIR --share 3/64"
        )
    if share is not None and (csv is not None or sort is not None):
        raise UsageError(
            f"{'--csv' if csv is not None else '--sort'} needs the labels of all shares",
            hint="leave it out here, and add it to --gather once all shares are done",
        )
    chosen = which.load(call.project(cluster__address=cluster))
    if share is not None and out is not None:
        with call.counting("labelling", "pictures") as progress:
            files = chosen.predict_share(
                paths or (),
                out,
                share,
                accept_all=accept_all,
                engine=engine,
                ignore=listed(ignore_mismatch),
                lists=lists or (),
                progress=progress,
            )
        facts = {"snapshot": chosen.name, "predictions": [], "skipped": [], "share": share, "files": files, "out": out}
        call.console.result(facts, f"share {share}: {files:,} files done; --gather gives the labels of all shares")
        return
    with call.counting("labelling", "pictures") as progress:
        found = chosen.predict_all(
            paths or (),
            accept_all=accept_all,
            engine=engine,
            ignore=listed(ignore_mismatch),
            lists=lists or (),
            shares=out,
            progress=progress,
        )
    if csv is not None:
        chosen.write_csv(found, csv)
    extra = {} if sort is None else {"sorted": chosen.sort(found, sort, copy=copy)}
    notes = [] if csv is None else [f"table: {csv}"]
    if sort is not None:
        notes.append(f"{'copies' if copy else 'links'} in folders of the classes, the surest first: {sort}")
    items = (one.json() for one in found.predictions)
    call.console.listing(found.frame() | extra, "predictions", items, chain(chosen.lines(found), notes))
    for one in found.skipped:
        call.console.warn(f"skipped {one.path}: it {one.reason}")
