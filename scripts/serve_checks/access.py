"""Nobody is left out of a page: axe-core on every page, at 320 and 1,400 pixels, light and dark, in both languages.

    scripts/serve_check access

Nothing may be wider than the window, nothing may be asked of another host, and no script may fail or be refused by the
policy of the page. Needs Chromium and axe-core (pip install '.[dev]').
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browsing import Server, axe_source, barriers, chromium, pages  # noqa: E402  # beside the tests, which use it too

from workflow.api import Project  # noqa: E402
from workflow.demo.drawing import draw  # noqa: E402
from workflow.demo.steps import set_up  # noqa: E402


def main() -> int:
    """Look at all of them."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    axe = axe_source()
    if axe is None:
        print("axe-core is not installed: pip install '.[dev]'")
        return 1
    found = 0
    with tempfile.TemporaryDirectory(prefix="wf-pages-") as name:
        root = Path(name) / "pip"
        set_up(root, count=80)
        project = Project(root)
        project.prepare()
        project.train(max_iter=10)
        draw(Path(name) / "others", count=20, seed=7)
        with Server(root) as server, chromium() as browser:
            pictures = [path.read_bytes() for path in (Path(name) / "others").glob("*/*.png")]
            sent = [server.send(one) for one in pictures]
            for language in ("en", "ja"):
                for width in (320, 1400):
                    for scheme in ("light", "dark"):
                        faults = barriers(
                            browser,
                            server,
                            pages(sent[0]["sha256"]),
                            axe=axe,
                            picture=pictures[0],
                            scheme=scheme,
                            width=width,
                            language=language,
                        )
                        found += len(faults)
                        print(f"{language}, {width} pixels, {scheme}: {faults or 'no violations'}", flush=True)
    print("holds" if not found else f"MISSED: {found} pages")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
