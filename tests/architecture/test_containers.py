"""What compose.yaml and the Dockerfile promise, as far as no daemon is needed to see it."""

from __future__ import annotations

import ipaddress
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.tree import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
OURS = {"migrate", "web", "live", "worker-mail", "worker-images", "worker-default", "beat"}
WORKERS = {name for name in OURS if name.startswith("worker-")}
QUEUES = {"mail", "images", "previews", "default", "events", "webhooks"}


def words(name: str) -> list[str]:
    return [str(word) for word in SERVICES[name].get("command", [])]


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def test_the_services_are_those_of_the_system() -> None:
    assert set(SERVICES) - OURS == {
        "db",
        "redis",
        "cache",
        "memcached",
        "rabbitmq",
        "mail",
        "proxy",
    }


def test_every_queue_has_a_worker() -> None:
    served = {
        queue
        for name in WORKERS
        for queue in words(name)[words(name).index("--queues") + 1].split(",")
    }

    assert served == QUEUES


def test_pictures_are_made_by_processes_and_letters_wait_in_threads() -> None:
    pools = {name: words(name)[words(name).index("--pool") + 1] for name in WORKERS}

    assert pools["worker-images"] == "prefork"
    assert pools["worker-mail"] == "threads"


@pytest.mark.parametrize("name", sorted(WORKERS))
def test_a_worker_has_time_to_finish_what_is_in_hand(name: str) -> None:
    assert seconds(SERVICES[name]["stop_grace_period"]) >= 60


@pytest.mark.parametrize("name", sorted(OURS | {"proxy"}))
def test_a_service_that_scales_has_no_fixed_name(name: str) -> None:
    assert "container_name" not in SERVICES[name]
    assert "hostname" not in SERVICES[name]
    if name != "proxy":
        assert "ports" not in SERVICES[name]


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_cannot_do_much(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["deploy"]["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", sorted(OURS - {"migrate"}))
def test_a_process_starts_after_the_migrations(name: str) -> None:
    condition = SERVICES[name]["depends_on"]["migrate"]["condition"]

    assert condition == "service_completed_successfully"


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_every_lasting_service_is_watched(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", sorted(WORKERS | {"web"}))
def test_originals_are_shared(name: str) -> None:
    assert "media:/srv/media" in SERVICES[name]["volumes"]


def test_images_are_pinned() -> None:
    images = [service["image"] for service in SERVICES.values() if "build" not in service]

    assert [image for image in images if not re.search(r":v?\d", image)] == []


def test_the_cache_forgets_and_the_queue_does_not() -> None:
    cache, queue = " ".join(words("cache")), " ".join(words("redis"))

    assert "allkeys-lfu" in cache
    assert "--appendonly no" in cache
    assert "noeviction" in queue
    assert "--appendonly yes" in queue


@pytest.mark.parametrize("name", ["SECRET_KEY", "SITE_URL"])
def test_a_start_without_a_secret_is_refused(name: str) -> None:
    assert SERVICES["web"]["environment"][name].startswith(f"${{{name}:?")


def test_every_variable_of_the_containers_is_one_that_the_settings_read() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

    for name in SERVICES["web"]["environment"]:
        assert f"`{name}`" in text


def test_what_an_operator_writes_into_the_env_file_reaches_the_containers() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE))

    # The image decides the folders and that this is no development; compose.yaml the password.
    decided = {"DEBUG", "ENV_FILES", "INBOX_DIR", "MEDIA_ROOT", "STATIC_ROOT"}
    others = {"PORT", "POSTGRES_PASSWORD"}
    assert set(SERVICES["web"]["environment"]) - {"LIVENESS_FILE"} == (
        named - decided - others - {"LIVENESS_FILE"}
    )


def test_the_image_runs_as_nobody_in_particular() -> None:
    users = re.findall(r"^USER (.+)$", DOCKERFILE, flags=re.MULTILINE)

    assert users[-1:] == ["10001:10001"]


def test_the_image_leaves_health_to_compose() -> None:
    assert "HEALTHCHECK" not in DOCKERFILE
    assert not DOCKERFILE.startswith("# syntax=")


def test_the_image_carries_the_run_time_lock_only() -> None:
    assert "--require-hashes" in DOCKERFILE
    assert "requirements-dev" not in DOCKERFILE
    assert "devstack" not in DOCKERFILE


def test_compose_follows_the_specification() -> None:
    run = subprocess.run(
        [
            Path(sys.executable).with_name("check-jsonschema"),
            "--builtin-schema",
            "vendor.compose-spec",
            "compose.yaml",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert run.returncode == 0, run.stdout


def test_the_proxy_tells_visitors_apart_behind_another_one() -> None:
    """Rate limits count addresses: of all visitors of a site behind one proxy there is one."""
    conf = (ROOT / "deploy" / "nginx.conf").read_text()

    trusted = re.findall(r"set_real_ip_from (\S+);", conf)
    assert trusted
    assert all(ipaddress.ip_network(network).is_private for network in trusted)
    assert "real_ip_header X-Forwarded-For;" in conf
    # What a visitor wrote there goes no further.
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in conf
