"""The servers and workers that other tests lean on do what they promise."""

from __future__ import annotations

import smtplib
import socket
from email.message import EmailMessage

import psutil
import pytest
import redis
from amqp import Connection
from django.db import connection
from pymemcache import Client

from devstack.servers import Memcached, RabbitMQ, Valkey
from tests.support.servers import StartWorker
from tests.support.smtp import CUT, HANG, ScriptedSMTP
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration


def a_letter(to: str) -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "ada@example.test", to, "Hafenlicht"
    letter.set_content("Grüße")
    return letter


def send(server: ScriptedSMTP, to: str, *, seconds: float = 60) -> None:
    with smtplib.SMTP("127.0.0.1", server.port, timeout=seconds) as client:
        client.send_message(a_letter(to))


def test_the_smtp_server_keeps_what_it_took(smtp_server: ScriptedSMTP) -> None:
    send(smtp_server, "ben@example.test")

    (letter,) = smtp_server.to("ben@example.test")
    assert letter.message["Subject"] == "Hafenlicht"
    assert letter.message.get_content().strip() == "Grüße"
    assert letter.acknowledged


def test_the_smtp_server_takes_an_address_in_any_script(smtp_server: ScriptedSMTP) -> None:
    send(smtp_server, "bén@exämple.test")

    assert smtp_server.tried == ["bén@exämple.test"]


@pytest.mark.parametrize("reply", ["451 later", "550 nobody of that name"])
def test_the_smtp_server_refuses_as_often_as_it_was_told(
    smtp_server: ScriptedSMTP, reply: str
) -> None:
    smtp_server.answer("ben@example.test", reply, times=1)

    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(smtp_server, "ben@example.test")
    send(smtp_server, "ben@example.test")

    code, _text = refused.value.recipients["ben@example.test"]
    assert code == int(reply[:3])
    assert len(smtp_server.to("ben@example.test")) == 1


def test_the_smtp_server_hangs(smtp_server: ScriptedSMTP) -> None:
    smtp_server.answer("ben@example.test", HANG)

    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        send(smtp_server, "ben@example.test", seconds=0.3)

    assert smtp_server.letters == []


def test_the_smtp_server_hangs_up_before_it_acknowledges(smtp_server: ScriptedSMTP) -> None:
    smtp_server.answer("ben@example.test", CUT, moment="data")

    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
        send(smtp_server, "ben@example.test")

    (letter,) = smtp_server.letters
    assert not letter.acknowledged


def test_a_stopped_smtp_server_refuses_connections_and_comes_back(
    smtp_server: ScriptedSMTP,
) -> None:
    smtp_server.stop()

    with pytest.raises(ConnectionRefusedError):
        send(smtp_server, "ben@example.test")
    smtp_server.start()
    send(smtp_server, "ben@example.test")

    assert len(smtp_server.letters) == 1


def test_a_valkey_that_keeps_remembers_through_a_power_cut(valkey_server: Valkey) -> None:
    with redis.Redis.from_url(valkey_server.url()) as client:
        client.set("photo", "harbour")
        client.execute_command("WAITAOF", 1, 0, 60_000)

    valkey_server.kill()
    valkey_server.start()

    with redis.Redis.from_url(valkey_server.url()) as client:
        assert client.get("photo") == b"harbour"


def test_a_frozen_valkey_keeps_connections_and_says_nothing(valkey_server: Valkey) -> None:
    client = redis.Redis.from_url(valkey_server.url(), socket_timeout=0.2, retry=None)

    valkey_server.freeze()

    with pytest.raises(redis.TimeoutError):
        client.ping()
    valkey_server.thaw()
    with redis.Redis.from_url(valkey_server.url()) as patient:
        assert patient.ping()
    client.close()


@pytest.mark.memcached
def test_a_memcached_keeps_what_it_is_given(memcached_server: Memcached) -> None:
    client = Client(("127.0.0.1", memcached_server.port))

    client.set("photo", b"harbour", noreply=False)

    assert client.get("photo") == b"harbour"
    client.close()


@pytest.mark.rabbitmq
def test_rabbitmq_starts_without_the_queues_of_an_earlier_test(rabbitmq_server: RabbitMQ) -> None:
    with Connection(f"127.0.0.1:{rabbitmq_server.port}") as client:
        declared = client.channel().queue_declare("mail", durable=True, auto_delete=False)

    assert declared is not None
    assert declared[1] == 0


def test_a_worker_runs_on_the_database_and_broker_of_the_test(worker: StartWorker) -> None:
    first = worker("mail", pool="threads", concurrency=2)

    environment = psutil.Process(first.pid).environ()
    assert environment["DATABASE_URL"].endswith(f"/{connection.settings_dict['NAME']}")
    assert environment["DATABASE_URL"].rpartition("/")[2].startswith("test_")


def test_a_killed_worker_leaves_nothing_of_its_group(worker: StartWorker) -> None:
    images = worker("images", pool="prefork", concurrency=2)
    family = [images.pid, *(child.pid for child in psutil.Process(images.pid).children())]
    assert len(family) > 2

    images.kill()

    wait_until(lambda: not any(map(psutil.pid_exists, family)))


def test_a_worker_asked_to_stop_ends_by_itself(worker: StartWorker) -> None:
    mail = worker("mail")

    mail.ask_to_stop()

    assert mail.wait_dead(60)
    assert mail.process is not None
    assert mail.process.returncode == 0


def test_servers_listen_on_loopback_only(valkey_server: Valkey) -> None:
    listening = psutil.Process(valkey_server.pid).net_connections("inet")

    assert {found.laddr.ip for found in listening if found.status == "LISTEN"} == {"127.0.0.1"}
    assert socket.gethostname() not in valkey_server.url()
