"""A site on Memcached and RabbitMQ, with no Redis anywhere: sign-up, letter, picture."""

from __future__ import annotations

import os
import re
import urllib.request
import uuid
from http.cookiejar import CookieJar

import pytest

from apps.accounts.models import User
from apps.messaging import Job
from devstack.processes import free_port
from devstack.programs import Web
from tests.support.accounts import PASSWORD
from tests.support.photos import make_original
from tests.support.servers import site_variables
from tests.support.wait import wait_until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.memcached,
    pytest.mark.rabbitmq,
    pytest.mark.django_db(transaction=True),
]
ADDRESS = "ada@example.org"


@pytest.fixture
def without_redis(memcached_server, rabbitmq_server):
    return {"CACHE_URL": memcached_server.url, "BROKER_URL": rabbitmq_server.url}


@pytest.fixture
def web(without_redis, tmp_path, request):
    program = Web(
        name="web",
        target="project.wsgi:application",
        port=free_port(),
        options=("--interface", "wsgi", "--blocking-threads", "4"),
        log=tmp_path / "web.log",
        variables={**os.environ, **site_variables(), **without_redis},
    )
    yield program.start(seconds=60)
    program.kill()
    request.node.add_report_section("teardown", program.name, program.log.read_text())


class Browser:
    """Keeps cookies, and fills in a form as the page gives it."""

    def __init__(self, port):
        self.site = f"http://localhost:{port}"
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, path):
        with self.opener.open(f"{self.site}{path}") as page:
            return page.status, page.read().decode()

    def post(self, path, fields, **files):
        _, page = self.get(path)
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert found
        boundary = uuid.uuid4().hex
        body = b""
        for name, value in {**fields, "csrfmiddlewaretoken": found[1]}.items():
            body += (
                f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
            )
            body += f"{value}\r\n".encode()
        for name, file in files.items():
            body += (
                (
                    f'--{boundary}\r\nContent-Disposition: form-data; name="{name}";'
                    f' filename="{file.name}"\r\nContent-Type: image/jpeg\r\n\r\n'
                ).encode()
                + file.read()
                + b"\r\n"
            )
        body += f"--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        request = urllib.request.Request(f"{self.site}{path}", data=body, headers=headers)  # noqa: S310
        with self.opener.open(request) as answer:
            return answer.status, answer.read().decode()


def test_from_the_sign_up_to_the_letter_and_the_picture(web, without_redis, worker, smtp_server):
    browser = Browser(web.port)
    worker("mail", EMAIL_URL=smtp_server.url, **without_redis)
    worker("images,default", pool="prefork", concurrency=1, **without_redis)

    status, _ = browser.post(
        "/accounts/signup/",
        {"username": "ada", "email": ADDRESS, "password1": PASSWORD, "password2": PASSWORD},
        avatar=make_original(),
    )
    assert status == 200
    wait_until(lambda: smtp_server.to(ADDRESS), what="the letter")
    wait_until(lambda: User.objects.get(username="ada").avatar_state == "ready", what="the avatar")

    # Both pages, from a cache and without one.
    assert [browser.get("/")[0] for _ in range(3)] == [200, 200, 200]
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}
    assert all(Job.objects.values_list("request_id", flat=True))
