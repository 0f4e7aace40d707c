"""Run the whole site on this machine until Ctrl-C: `python -m devstack.up`."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import environ
import watchfiles

from devstack import ground
from devstack.console import Console
from devstack.problems import Problem
from devstack.processes import ROOT
from devstack.stack import Stack, write_env_file
from devstack.supervisor import Stopped, Supervisor, Watchdog

WATCHED = ("apps", "project", "templates")


def main() -> int:
    """Start everything, run until asked to stop, stop everything. Returns the exit code."""
    os.chdir(ROOT)
    console = Console()
    try:
        return _up(console)
    except (Stopped, KeyboardInterrupt):
        return 0
    except Problem as problem:
        print(f"Safelight did not start: {problem}", file=sys.stderr)
        return problem.code


def _up(console: Console) -> int:
    began = time.monotonic()
    if (ROOT / ".env").is_file() and ".env" in os.environ.get("ENV_FILES", ".env").split(","):
        environ.Env.read_env(ROOT / ".env")
    var = Path(os.environ.get("SAFELIGHT_VAR") or ROOT / "var")
    ground.writable_folder(var)
    beside = var / "stack.env"
    with ground.only_one(var / "lock") as lock:
        port = ground.wanted_port(os.environ)
        beside.unlink(missing_ok=True)
        stack = Stack(var=var, port=port, given=dict(os.environ))
        servers = stack.servers()
        supervisor = Supervisor(console, Watchdog(lock=lock, files=[beside]))
        supervisor.listen()
        console.say("Starting Safelight")
        try:
            supervisor.start(servers, seconds=60)
            write_env_file(beside, stack.addresses())
            prepare = stack.prepare()
            supervisor.start([prepare], seconds=600, once=True)
            supervisor.start(stack.site(), seconds=120, reload=True)
            console.box(_welcome(stack, prepare.log.with_name("demo.json"), began))
            with _changes(console) as changes:
                supervisor.run(changes=changes, gone=_make_is_stopping)
        finally:
            console.say("Stopping; once more ends it at once.")
            supervisor.stop()
            beside.unlink(missing_ok=True)
            console.say("Stopped.")
    return 0


def _welcome(stack: Stack, demo: Path, began: float) -> list[str]:
    site = f"http://localhost:{stack.port}"
    return [
        f"Safelight runs, after {time.monotonic() - began:.1f} s.",
        "",
        f"Site     {site}/",
        *([f"Inbox    {site}/inbox/"] if stack.has_inbox else []),
        f"Admin    {site}/admin/",
        "",
        *_log_ins(demo),
        "Ctrl-C stops everything. Data and logs stay in var/.",
    ]


def _log_ins(demo: Path) -> list[str]:
    """Return who may log in, in the words of create_demo; nobody if there is no demo."""
    try:
        told = json.loads(demo.read_text())
        people, admin = ", ".join(told["people"]), told["admin"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [
        f"Log in as {people}: password {told['password']}",
        f"Log in to the admin as {admin['username']}: password {admin['password']}",
        "",
    ]


@contextlib.contextmanager
def _changes(console: Console) -> Iterator[Callable[[], set[str]]]:
    """Watch the site's files; the function yielded returns those changed since it was asked."""
    found: queue.SimpleQueue[str] = queue.SimpleQueue()
    done = threading.Event()
    folders = [ROOT / name for name in WATCHED if (ROOT / name).is_dir()]

    def watch() -> None:
        try:
            for changes in watchfiles.watch(*folders, stop_event=done, watch_filter=_is_code):
                for _kind, path in changes:
                    found.put(path)
        except (OSError, RuntimeError) as error:
            console.say(f"Changes of the code are not noticed: {error}")

    def take() -> set[str]:
        taken = set()
        while not found.empty():
            taken.add(found.get())
        return taken

    thread = threading.Thread(target=watch, name="watch", daemon=True)
    thread.start()
    yield take
    done.set()
    thread.join(5)


def _is_code(change: watchfiles.Change, path: str) -> bool:  # noqa: ARG001
    return path.endswith((".py", ".html", ".txt", ".mo"))


def _make_is_stopping() -> bool:
    """Tell whether `make` got a signal that it did not pass on.

    It passes on TERM only. On INT or HUP sent to it alone, and not to us by a terminal, it waits
    for our end within its handler, where that signal is blocked: the kernel shows that.
    """
    if "MAKELEVEL" not in os.environ:
        return False
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{os.getppid()}/status").read_text().splitlines():
            if line.startswith("SigBlk:"):
                blocked = int(line.split()[1], 16)
                return any(blocked >> (number - 1) & 1 for number in (signal.SIGINT, signal.SIGHUP))
    return False


if __name__ == "__main__":
    sys.exit(main())
