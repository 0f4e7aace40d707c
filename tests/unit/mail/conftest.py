from __future__ import annotations

import copy

import pytest

from tests.support.mail import TEMPLATES


@pytest.fixture
def hello(settings):
    """The name of a letter whose templates are the tests' own."""
    templates = copy.deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"] = [TEMPLATES, *templates[0]["DIRS"]]
    settings.TEMPLATES = templates
    return "hello"


@pytest.fixture
def mail_server(settings, smtp_server):
    """The scripted SMTP server, as the one this process sends by."""
    settings.MAIL_SERVER = {"host": "127.0.0.1", "port": smtp_server.port, "timeout": 5}
    settings.EMAIL_ANSWER_TIMEOUT = 5
    return smtp_server
