"""The rules of the house that a machine can hold us to."""

from __future__ import annotations

import ast
import graphlib
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import workflow

ROOT = Path(__file__).parents[1]
GENERATED = {"caffe_pb2.py", "caffe_pb2.pyi"}
SOURCES = sorted(path for path in (ROOT / "workflow").rglob("*.py") if path.name not in GENERATED)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
NOT_IMPORTABLE = {"workflow.engines.bvlc.worker", "workflow.__main__"}  # one needs real Caffe, the other runs
MODULES = sorted(
    found.name for found in pkgutil.walk_packages(workflow.__path__, "workflow.") if found.name not in NOT_IMPORTABLE
)


def test_files_keep_to_one_subject() -> None:
    """A soft limit: a longer file says here why it is one subject; no code is bent to fit a count."""
    reasons = {
        "workflow/api/project.py": "the front door: a short method and its contract for each question about a project",
        "workflow/api/snapshot.py": "the same for each question about a snapshot",
        "workflow/faults.py": "the catalogue: a short entry for each code",
    }
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in [*SOURCES, *TESTS]}
    long = {path.relative_to(ROOT).as_posix() for path, n in lengths.items() if n > (400 if path in SOURCES else 600)}
    assert long <= set(reasons)


def test_files_are_small_on_average() -> None:
    lengths = sorted(len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES)
    assert lengths[len(lengths) // 2] <= 120
    assert lengths[len(lengths) * 9 // 10] <= 200


def test_functions_are_small_on_average() -> None:
    lengths = sorted(
        node.end_lineno - node.body[0].lineno + 1
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno
    )
    assert lengths[len(lengths) // 2] <= 12
    assert lengths[len(lengths) * 9 // 10] <= 35


def test_imports_go_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    if not linter.exists():
        pytest.skip("import-linter is not installed")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports inside functions count; those for the type checker alone do not."""
    graph = {_name(path): set(_imported(ast.parse(path.read_text(encoding="utf-8")))) for path in SOURCES}
    known = {name: {one for one in found if one in graph} for name, found in graph.items()}
    graphlib.TopologicalSorter(known).prepare()  # raises CycleError, which lists them


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = [f"{node.module}.{one.name}" for one in node.names]
            yield from (one if one in MODULES else node.module for one in modules)
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        yield from _imported(node)


def test_all_is_true() -> None:
    for name in MODULES:
        module = importlib.import_module(name)
        listed = list(getattr(module, "__all__", []))
        assert [one for one in listed if not hasattr(module, one)] == [], name


def test_modules_say_what_they_are_for_and_are_whole() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(text)), path
        assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", text), path


def test_nothing_is_called_utils() -> None:
    assert not [path for path in SOURCES if "util" in path.name or "helper" in path.name]


PLACEHOLDER = re.compile(r"pip3?\s+install\s+(?:-\S+\s+)*caffe\b")


def test_the_empty_placeholder_is_never_named_in_an_install_line() -> None:
    """The project of that name on PyPI is not Caffe."""
    kinds = {".md", ".py", ".toml", ".yaml", ".prototxt", ""}
    folders = ("workflow", "configs", "prototxt", "scripts", "docs")
    texts = [*ROOT.iterdir(), *(path for folder in folders for path in (ROOT / folder).rglob("*"))]
    texts = [path for path in texts if path.is_file() and path.suffix in kinds]
    assert ROOT / "README.md" in texts
    assert ROOT / "scripts" / "install_caffe" in texts
    assert not [path for path in texts if PLACEHOLDER.search(path.read_text(encoding="utf-8"))]


def test_files_that_the_readme_names_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"scripts/\w+|configs/\w+\.yaml", text):
        assert (ROOT / name).exists(), name


def test_the_changelog_knows_this_version() -> None:
    assert f"## [{workflow.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
