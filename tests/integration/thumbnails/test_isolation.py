"""Whatever happens to the process of one picture, the worker that waits for it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from apps import thumbnails
from apps.thumbnails import Reason, isolation
from tests.architecture.tree import ROOT
from tests.support import pictures
from tests.support.darkroom import PIXELS, develop
from tests.support.wait import wait_until

RECIPE = thumbnails.Recipe()


@pytest.fixture
def rogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program that the test writes (`misbehave`) in the place of the darkroom's."""
    monkeypatch.setattr(isolation, "_PROGRAM", tmp_path / "rogue.py")


def misbehave(folder: Path, program: str, *, seconds: float = 10) -> None:
    """Develop with a program of the test's own; its `request` is what a picture's would be."""
    prelude = "import json, os, signal, sys, time; request = json.loads(sys.stdin.readline())\n"
    (folder / "rogue.py").write_text(prelude + textwrap.dedent(program), encoding="utf-8")
    develop(pictures.make_picture(size=(64, 64)), folder, seconds=seconds)


def stuck_picture(folder: Path) -> Path:
    """Return a picture that is never there: reading it waits for ever."""
    source = folder / "pipe"
    os.mkfifo(source)
    return source


def darkrooms(parent: int | None = None) -> list[psutil.Process]:
    """Return the running processes of pictures that a process has started."""
    found = []
    for child in psutil.Process(parent).children():
        try:
            if any(part.endswith("darkroom/__main__.py") for part in child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def developing(
    pool: ThreadPoolExecutor, source: Path, folder: Path, *, seconds: float = 30
) -> Future[list[thumbnails.FirstLight]]:
    return pool.submit(
        lambda: list(thumbnails.develop(source, folder, RECIPE, seconds=seconds, pixels=PIXELS))
    )


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (signal.SIGSEGV, Reason.CRASHED),
        (signal.SIGABRT, Reason.CRASHED),
        (signal.SIGBUS, Reason.CRASHED),
        (signal.SIGXCPU, Reason.TOO_SLOW),
        (signal.SIGKILL, Reason.INTERRUPTED),
        (signal.SIGTERM, Reason.INTERRUPTED),
    ],
)
def test_a_killed_process_is_a_refusal_with_its_reason(
    number: signal.Signals, reason: Reason, tmp_path: Path
) -> None:
    source = stuck_picture(tmp_path)

    with ThreadPoolExecutor() as pool:
        work = developing(pool, source, tmp_path)
        (process,) = wait_until(darkrooms)
        process.send_signal(number)

        with pytest.raises(thumbnails.Refused) as refused:
            work.result(20)

    assert refused.value.code is reason
    assert not darkrooms()


def test_a_picture_that_waits_for_ever_is_interrupted_at_its_limit(tmp_path: Path) -> None:
    source = stuck_picture(tmp_path)

    with pytest.raises(thumbnails.Refused) as refused:
        list(thumbnails.develop(source, tmp_path, RECIPE, seconds=0.5, pixels=PIXELS))

    # It was given no time to show whether it is slow: that may as well be the machine's fault.
    assert refused.value.code is Reason.INTERRUPTED
    assert not refused.value.is_final
    assert not darkrooms()


@pytest.mark.usefixtures("rogue")
@pytest.mark.parametrize("in_c", [True, False])
def test_an_endless_loop_is_too_slow(tmp_path: Path, *, in_c: bool) -> None:
    loop = "sum(iter(int, 1))" if in_c else "while True: pass"
    program = f"import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 3))\n{loop}"

    with pytest.raises(thumbnails.Refused) as refused:
        misbehave(tmp_path, program, seconds=60)

    assert refused.value.code is Reason.TOO_SLOW
    assert refused.value.is_final


@pytest.mark.usefixtures("rogue")
def test_an_abort_for_want_of_memory_says_so(tmp_path: Path) -> None:
    with pytest.raises(thumbnails.Refused) as refused:
        misbehave(
            tmp_path,
            """
            print("GLib-ERROR: failed to allocate 4294967296 bytes", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGTRAP)
        """,
        )

    assert refused.value.code is Reason.TOO_MUCH_MEMORY


@pytest.mark.usefixtures("rogue")
@pytest.mark.parametrize(
    ("program", "trace"),
    [
        ("raise ImportError('libvips.so.42')", "libvips.so.42"),
        ("print('not JSON')", "not JSON"),
        ('print(\'{"step": "developed"}\')', "missing required field"),
        ('print(\'{"step": "juggled"}\')', "juggled"),
        ("sys.stdout.write('x' * 10_000_000)", "without end"),
        ("", "exit code 0"),
    ],
)
def test_a_broken_engine_is_no_verdict_on_the_picture(
    program: str, trace: str, tmp_path: Path
) -> None:
    with pytest.raises(thumbnails.EngineFailed, match=trace):
        misbehave(tmp_path, program, seconds=60)


LIE = """
    os.symlink("/etc/hostname", request["into"] + "/640.webp")
    said = {"step": "developed", "format": "jpeg", "width": 1, "height": 1, "camera": None,
            "placeholder": "data:image/webp;base64,AAAA", "thumbhash": "AAAA", "renditions": [
            {"name": NAME, "width": 1, "height": 1, "made": True}], **CHANGES}
    print(json.dumps(said), flush=True)
"""


@pytest.mark.usefixtures("rogue")
@pytest.mark.parametrize(
    ("name", "changes", "trace"),
    [
        ("640.webp", {}, "not a file"),  # it is a link to a file of ours
        ("1280.webp", {}, "not a file"),  # it was never written
        ("../../settings.py", {}, "nobody asked for"),
        ("640.html", {}, "nobody asked for"),
        ("640.webp", {"placeholder": "https://elsewhere.example/pixel.gif"}, "regex"),
        ("640.webp", {"thumbhash": "<script>"}, "regex"),
        ("640.webp", {"width": -1}, ">= 1"),
        ("640.webp", {"format": "svg"}, "svg"),
        ("640.webp", {"camera": {"make": "Evil\x1b[2J"}}, "regex"),
    ],
)
def test_a_picture_that_took_its_process_over_cannot_lie_its_way_out(
    name: str, changes: dict[str, object], trace: str, tmp_path: Path
) -> None:
    program = LIE.replace("NAME", repr(name)).replace("CHANGES", repr(changes))

    with pytest.raises(thumbnails.EngineFailed, match=trace):
        misbehave(tmp_path, program, seconds=60)


@pytest.mark.usefixtures("rogue")
def test_a_refusal_of_a_kind_we_do_not_know_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(thumbnails.Refused) as refused:
        misbehave(tmp_path, """print('{"step": "refused", "code": "melted", "detail": "x"}')""")

    assert refused.value.code is Reason.CRASHED


@pytest.mark.usefixtures("rogue")
def test_the_process_has_no_secret_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    report = tmp_path / "report"

    with pytest.raises(thumbnails.EngineFailed):
        misbehave(
            tmp_path,
            f"""
            files = sorted(os.listdir("/proc/self/fd"))
            open({str(report)!r}, "w").write(json.dumps([dict(os.environ), len(files)]))
        """,
        )

    text = report.read_text(encoding="utf-8")
    assert "hunter2" not in text
    assert "DATABASE_URL" not in text
    assert text.endswith(", 4]")  # stdin, stdout, stderr and the listing itself


def test_leaving_early_ends_the_process(tmp_path: Path) -> None:
    source = tmp_path / "original"
    source.write_bytes(pictures.make_picture(size=(4000, 3000)))
    steps = thumbnails.develop(source, tmp_path, RECIPE, seconds=30, pixels=PIXELS)

    next(iter(steps))
    assert darkrooms()
    steps.close()  # type: ignore[attr-defined]

    assert not darkrooms()


WORKER = """
import sys
from pathlib import Path
from apps import thumbnails
source, shelf = map(Path, sys.argv[1:])
with thumbnails.workspace(shelf) as folder:
    print(folder, flush=True)
    list(thumbnails.develop(source, folder, thumbnails.Recipe(), seconds=60, pixels=10**6))
"""


def test_a_killed_worker_takes_its_picture_along_and_the_next_one_sweeps(tmp_path: Path) -> None:
    source = stuck_picture(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, source, tmp_path], cwd=ROOT, stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdout
        left = Path(os.fsdecode(worker.stdout.readline().strip()))
        (process,) = wait_until(lambda: darkrooms(worker.pid))
        assert left.is_dir()

        worker.kill()

    wait_until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
    with thumbnails.workspace(tmp_path):
        assert not left.exists()


def test_a_forked_worker_develops_too(tmp_path: Path) -> None:
    """Celery's image workers are forks of a process that has imported everything."""
    (tmp_path / "picture").write_bytes(pictures.make_picture())
    program = """
import os, sys
from pathlib import Path
from apps import thumbnails
source, folder = map(Path, sys.argv[1:])
pid = os.fork()
if pid == 0:
    steps = list(thumbnails.develop(source, folder, thumbnails.Recipe(), seconds=60, pixels=10**6))
    os._exit(len(steps))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""

    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "picture", tmp_path], cwd=ROOT, timeout=60
    )

    assert done.returncode == 2
    assert pictures.is_upright(tmp_path / "640.webp")


def test_threads_develop_side_by_side(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(3)]
    for folder in folders:
        folder.mkdir()
    original = pictures.make_picture()

    with ThreadPoolExecutor() as pool:
        results = list(pool.map(lambda folder: develop(original, folder), folders))

    assert [len(steps) for steps in results] == [2, 2, 2]
    assert not darkrooms()
    assert threading.active_count() < 10


def test_a_missing_original_is_an_error_and_no_refusal(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(thumbnails.develop(tmp_path / "gone", tmp_path, RECIPE, seconds=5, pixels=PIXELS))


def test_a_folder_that_cannot_be_written_is_an_error_and_no_refusal(tmp_path: Path) -> None:
    (tmp_path / "96.webp").mkdir()

    with pytest.raises(thumbnails.EngineFailed, match="Is a directory"):
        develop(pictures.make_picture(), tmp_path)
