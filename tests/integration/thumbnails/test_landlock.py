"""After the door is locked there is one file to read, one folder to write, and nobody to call."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

# In a process of its own, since there is no way back.
PROGRAM = """
import json, os, socket, sys
from pathlib import Path
from apps.thumbnails.darkroom import landlock
picture, folder, secret, port = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
def attempt(work):
    try:
        work()
    except OSError as error:
        return type(error).__name__
    return "done"
locked = landlock.confine(read=picture, work=folder)
print(json.dumps({
    "locked": locked,
    "read the picture": attempt(picture.read_bytes),
    "write a rendition": attempt(lambda: (folder / "640.webp").write_bytes(b"x")),
    "change the picture": attempt(lambda: picture.write_bytes(b"x")),
    "read a secret": attempt(Path(secret).read_bytes),
    "read our environment": attempt(Path(f"/proc/{os.getppid()}/environ").read_bytes),
    "leave the folder": attempt(lambda: (folder.parent / "elsewhere").write_bytes(b"x")),
    "make a link": attempt(lambda: (folder / "link").symlink_to(secret)),
    "run a program": attempt(lambda: os.execv("/bin/true", ["true"])),
    "call somebody": attempt(lambda: socket.create_connection(("127.0.0.1", port), 5).close()),
}))
"""


def test_the_door_is_locked(tmp_path: Path) -> None:
    picture, folder, secret = tmp_path / "picture", tmp_path / "folder", tmp_path / "secret"
    folder.mkdir()
    picture.write_bytes(b"pixels")
    secret.write_bytes(b"hunter2")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, picture, folder, secret, str(port)],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )

    report = json.loads(done.stdout)
    if not report["locked"]:
        pytest.skip(f"this kernel ({os.uname().release}) has no Landlock")
    allowed = {action for action, result in report.items() if result == "done"}
    assert allowed <= {"read the picture", "write a rendition", "call somebody"}
    assert {"read the picture", "write a rendition"} <= allowed
    assert report["read our environment"] == "PermissionError"
    if os.uname().release >= "6.7":  # the kernel that learnt to keep it from the network
        assert report["call somebody"] == "PermissionError"
