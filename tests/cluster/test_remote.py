"""One real Ray on this machine does what this machine's own crew does, whoever dies.

Its head and its raylet die in scripts/cluster_check: Ray takes a quarter of a minute to notice.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs
from small_generation import prepared, settings, trained
from squares import Squares, numbers_until

from workflow.cluster import connection, site
from workflow.cluster.crew import Crew, Workers
from workflow.cluster.here import Here
from workflow.cluster.parts import cut, fixed
from workflow.cluster.receipt import in_order
from workflow.cluster.remote import Remote
from workflow.cluster.result_file import read_result
from workflow.config import Cluster
from workflow.data.prepare import prepare
from workflow.errors import DataError, EngineMissing, EnvironmentFault
from workflow.exams import passes
from workflow.exams.files import pictures
from workflow.exams.predict import predict
from workflow.generations import generation
from workflow.models.loading import load

__all__ = ["prepared", "settings", "trained"]

pytest.importorskip("ray", reason="Ray is not installed: pip install 'wf[cluster]'")

NUMBERS = [str(number).encode() for number in range(30)]
SQUARES = [number**2 for number in range(30)]
LOCAL = Cluster(address="local", workers=2, attempts=2, part=4, start_timeout=300)

_KNOWN = """
import sys
if any("workflow.cluster.worker" in word for word in sys.orig_argv):
    sys.path.append({tests!r})
    import squares
"""


@pytest.fixture(scope="module")
def ray(tmp_path_factory):
    """The crew; workers know the tests' own work, too."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(_KNOWN.format(tests=str(Path(__file__).parents[1])))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        yield Remote(LOCAL)
        connection._open.pop(LOCAL).close()


def done(crew: Crew, items: list[bytes], folder: Path, size: int = 4, **settings: str) -> tuple[list[int], dict]:
    """The squares in the order of the items, and the places of the deadly ones."""
    folder.mkdir(exist_ok=True)
    squares, deadly = [], {}
    parts = cut(fixed(len(items), size), lambda start, stop: items[start:stop])
    for receipt in in_order(crew.map(Squares(**settings), parts, folder)):
        facts, arrays = read_result(receipt.path)
        squares += arrays["squares"].tolist()
        deadly |= {receipt.start + int(place): how for place, how in facts.items()}
    return squares, deadly


def results(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("part-*[0-9]") if "tmp" not in path.name}


def test_the_results_are_those_of_this_machine_s_crew(ray, tmp_path):
    assert done(ray, NUMBERS, tmp_path / "ray") == done(Here(Workers(1)), NUMBERS, tmp_path / "here") == (SQUARES, {})
    assert results(tmp_path / "ray") == results(tmp_path / "here")


def test_a_part_whose_result_is_there_is_not_done_again(ray, tmp_path):
    done(ray, NUMBERS, tmp_path / "parts")
    (tmp_path / "parts/part-000003").unlink()
    (log := tmp_path / "log").mkdir()
    assert done(ray, NUMBERS, tmp_path / "parts", log=str(log)) == (SQUARES, {})
    assert [path.name.partition("-")[0] for path in log.iterdir()] == ["3"]


def test_t13_an_item_at_which_workers_die_is_left_out_alone_with_its_reason(ray, tmp_path):
    items = [*NUMBERS[:13], b"segv", b"kill", *NUMBERS[13:]]
    assert done(ray, items, tmp_path / "parts", size=2) == (SQUARES, {13: "SIGSEGV", 14: "out of memory"})


def test_memory_that_does_not_suffice_is_tried_alone(ray, tmp_path):
    items = [*NUMBERS[:5], b"memory", *NUMBERS[5:]]
    assert done(ray, items, tmp_path / "parts") == ([*SQUARES[:5], -1, *SQUARES[5:]], {})


def test_errors_of_the_work_are_those_of_the_caller(ray, tmp_path):
    with pytest.raises(DataError, match="no such net") as caught:
        done(ray, NUMBERS, tmp_path / "parts", start="fails")
    assert (caught.value.hint, caught.value.fault) == ("look elsewhere", "C06")
    with pytest.raises(OSError, match="No space left") as full:
        done(ray, [*NUMBERS, b"disk"], tmp_path / "parts")
    assert full.value.errno == 28
    with pytest.raises(RuntimeError, match="KeyError: 'a bug'"):
        done(ray, [b"bug"], tmp_path / "bug")


def test_labels_and_data_sets_are_those_of_this_machine(ray, settings, trained, project, monkeypatch):
    """Relative paths, as the project's are, are those of the folder that the command runs in."""
    monkeypatch.setattr(passes, "PART", LOCAL.part)
    (project / "images/test/cross/0.png").write_bytes(b"")
    model, files = load(settings), pictures([Path("images/test")])
    alone, shared = predict(model, files), predict(replace(model, cluster=LOCAL), files)
    assert list(shared.predictions) == list(alone.predictions)
    assert len(shared.predictions) == 14
    assert shared.skipped == alone.skipped
    for number, crew in ((2, Cluster()), (3, LOCAL)):
        prepare(structs.replace(settings, cluster=crew), number=number, force=True, rehash=True)
    one, other = (generation(settings, number) for number in (2, 3))
    assert (
        one.database("train").joinpath("data.mdb").read_bytes()
        == other.database("train").joinpath("data.mdb").read_bytes()
    )
    assert one.mean.read_bytes() == other.mean.read_bytes()
    assert not Path(".cluster").exists()


def test_r02_another_version_is_refused_at_the_start(ray, tmp_path, monkeypatch):
    real = site.versions()
    monkeypatch.setattr(site, "versions", lambda: real | {"wf": "0.0.1"})
    with pytest.raises(EnvironmentFault, match=rf"has wf {real['wf']}, but here it is wf 0\.0\.1") as caught:
        done(ray, NUMBERS, tmp_path / "parts")
    assert caught.value.fault == "R02"
    assert not results(tmp_path / "parts")


def test_t13_workers_killed_at_random_moments_cost_nothing(ray, tmp_path):
    """Ray's processes as well as ours, while they start, too."""
    generator, killed, over = random.Random(7), [], threading.Event()

    def kill() -> None:
        while len(killed) < 3 and not over.is_set():
            time.sleep(generator.uniform(0, 0.2))
            if found := workers():
                with suppress(ProcessLookupError):
                    os.kill(victim := generator.choice(found), signal.SIGKILL)
                    killed.append(victim)

    thread = threading.Thread(target=kill)
    thread.start()
    squares: list[int] = []
    (folder := tmp_path / "parts").mkdir()
    parts = numbers_until(lambda: len(killed) == 3)
    for receipt in in_order(ray.map(Squares(), parts, folder)):
        squares += read_result(receipt.path)[1]["squares"].tolist()
    over.set()
    thread.join()
    assert squares == [number**2 for number in range(len(squares))]
    assert len(killed) == 3


def workers() -> list[int]:
    """The processes of the connection's session in which parts are done: Ray's, and ours below them."""
    if LOCAL not in connection._open:
        return []
    session = connection._open[LOCAL]._process.pid
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ProcessLookupError):
            command, mine = (path / "cmdline").read_bytes(), os.getsid(int(path.name)) == session
            if mine and (b"ray::Seat" in command or b"workflow.cluster.worker" in command):
                found.append(int(path.name))
    return found


def test_r01_when_ray_is_lost_the_parts_that_are_done_stay(ray, tmp_path):
    """Whoever listens hears of it at once: of the part that is being done, no result has come by then."""
    (folder := tmp_path / "parts").mkdir()
    parts = cut(fixed(30, 4), lambda start, stop: [*NUMBERS[:28], b"wait", b"wait"][start:stop])
    receipts = ray.map(Squares(), parts, folder)
    for _ in range(7):
        next(receipts)
    os.kill(connection.connected(LOCAL)._process.pid, signal.SIGKILL)
    with pytest.raises(EnvironmentFault, match="Ray at local was lost: its process ended with") as caught:
        next(receipts)
    assert caught.value.fault == "R01"
    assert len(results(folder)) == 7
    for pid in workers():  # the one that waits; others may be ending by themselves
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_r01_no_answer_is_one_sentence():
    with pytest.raises(EnvironmentFault, match=r"cannot work with Ray at ray://127\.0\.0\.1:1: ") as caught:
        connection.Connection(Cluster(address="ray://127.0.0.1:1", start_timeout=1))
    assert caught.value.fault == "R01"


def test_without_the_package_the_install_line_is_printed(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EngineMissing, match="needs the package ray") as caught:
        connection.Connection(LOCAL)
    assert caught.value.hint == "pip install 'wf[cluster]'"


def test_one_machine_imports_no_ray():
    code = (
        "import sys; import workflow.cli.app, workflow.exams.passes, workflow.data.decode_all, workflow.cluster.remote"
    )
    done = subprocess.run([sys.executable, "-c", f"{code}; assert 'ray' not in sys.modules"], check=False)
    assert done.returncode == 0
