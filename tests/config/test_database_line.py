"""How long is waited for a database that says nothing: the limits arrive at the socket and at the server."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from tests.ledger.cut_line import CutLine

from lianfang.config.database import database_settings
from lianfang.gates import storage

pytestmark = pytest.mark.django_db


def test_a_database_that_falls_silent_is_given_up_after_half_a_minute() -> None:
    given = storage.parameters()  # as the gates' own connections, and Django's
    here = f"{given['host']}/.s.PGSQL.{given.get('port', 5432)}"
    with (
        CutLine(here) as line,
        psycopg.connect(**{**given, "host": "127.0.0.1", "port": line.port}) as asking,
        socket.socket(fileno=os.dup(asking.fileno())) as end,
    ):

        def of(option: int) -> int:
            return end.getsockopt(socket.IPPROTO_TCP, option)

        assert end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert of(socket.TCP_USER_TIMEOUT) == 30_000  # milliseconds
        assert of(socket.TCP_KEEPIDLE) + of(socket.TCP_KEEPINTVL) * of(socket.TCP_KEEPCNT) == 30  # seconds


def test_a_transaction_that_is_left_open_is_ended_by_the_server() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("5min",)


def test_who_runs_an_own_database_may_set_other_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@far/own?keepalives_idle=60&sslmode=require")
    options = database_settings(Path("unused"))["OPTIONS"]
    assert (options["keepalives_idle"], options["sslmode"]) == ("60", "require")
    assert options["tcp_user_timeout"] == 30_000
