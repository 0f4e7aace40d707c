"""Two hundred people sign up without a broker: no answer waits for it, and no letter is lost."""

from __future__ import annotations

import os
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest

from apps.accounts.models import User
from devstack.processes import free_port
from devstack.programs import Web
from tests.integration.messaging.conftest import HASTE
from tests.support.accounts import PASSWORD
from tests.support.servers import site_variables
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
BEFORE = 40
MEANWHILE = {"killed": 200, "frozen": 60}
VISITORS = 4
TOKEN = "a" * 32


@pytest.fixture
def web(valkey_server, tmp_path, request):
    program = Web(
        name="web",
        target="project.wsgi:application",
        port=free_port(),
        options=("--interface", "wsgi", "--blocking-threads", str(VISITORS)),
        log=tmp_path / "web.log",
        variables={
            **os.environ,
            **site_variables(),
            "BROKER_URL": valkey_server.url(1),
            "DJANGO_SETTINGS_MODULE": "tests.support.quick_site",
            # Each visitor comes from elsewhere, so that no limit of one address is met.
            "TRUST_PROXY": "true",
        },
    )
    yield program.start(seconds=60)
    program.kill()
    request.node.add_report_section("teardown", program.name, program.log.read_text())


def sign_up(number, *, port):
    """Send the form of one person; where the answer leads, and how long it took."""
    name = f"person{number}"
    form = {
        "username": name,
        "email": f"{name}@example.test",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "csrfmiddlewaretoken": TOKEN,
    }
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"csrftoken={TOKEN}",
        "X-Forwarded-For": f"10.0.{number // 250}.{number % 250 + 1}",
    }
    began = time.monotonic()
    connection = HTTPConnection("localhost", port, timeout=60)
    connection.request("POST", "/accounts/signup/", urlencode(form), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers["Location"], time.monotonic() - began


def sign_all_up(numbers, *, port):
    with ThreadPoolExecutor(VISITORS) as visitors:
        answers = list(visitors.map(partial(sign_up, port=port), numbers))
    assert {(status, where) for status, where, _ in answers} == {(302, "/accounts/confirm-email/")}
    return sorted(seconds for _, _, seconds in answers)


@pytest.mark.parametrize("fault", MEANWHILE)
def test_people_sign_up_at_full_speed_while_the_broker_is_away(
    web, valkey_server, worker, smtp_server, fault
):
    url, people = valkey_server.url(1), MEANWHILE[fault]
    worker("mail", concurrency=4, BROKER_URL=url, EMAIL_URL=smtp_server.url, **HASTE)
    before = sign_all_up(range(BEFORE), port=web.port)

    if fault == "killed":
        valkey_server.kill()
    else:
        valkey_server.freeze()
    meanwhile = sign_all_up(range(BEFORE, BEFORE + people), port=web.port)
    assert User.objects.count() == BEFORE + people
    if fault == "killed":
        valkey_server.start()
    else:
        valkey_server.thaw()

    # Few wait at all: one in two seconds asks whether it is back, for half a second at most.
    assert statistics.median(meanwhile) < 2 * statistics.median(before) + 0.1
    assert meanwhile[-3] < before[-1] + 1
    wait_until(lambda: len(smtp_server.letters) >= BEFORE + people, what="all letters")
    arrived = Counter(letter.recipients[0] for letter in smtp_server.letters)
    assert arrived == {f"person{number}@example.test": 1 for number in range(BEFORE + people)}
