"""Fills the form of a page as somebody would, sends it, and counts what it left in the database."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from threading import Barrier, BrokenBarrierError
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from tests.factories.accounts import DISTRICT
from tests.faults.test_orders_races import at_once

from lianfang.accounts import web
from lianfang.kernel import clock
from lianfang.kernel.clock import LEGAL_ZONE
from lianfang.kernel.row_security import set_scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.http import HttpRequest, HttpResponse, HttpResponseBase
    from django.test import Client

#: Tables that every request may write to: sessions, the journal of readings, what counts requests.
_NOT_EFFECTS: Final = (
    "django_session",
    "people_readrecord",
    "procrastinate_events",
    "procrastinate_workers",
    "accounts_ratecount",
)


@dataclass
class Form:
    """A form of a page: where it goes, and the fields with what stands in them or could."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)


class _Forms(HTMLParser):
    """The forms that send, with every field filled: what stands there, else the first choice, else a word."""

    def __init__(self, typed: Mapping[str, str]) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._typed = typed
        self._open: Form | None = None
        self._select = ""
        self._text: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {k: v or "" for k, v in attrs}
        if tag == "form" and has.get("method", "").lower() == "post":
            self._open = Form(has.get("action", ""))
            self.forms.append(self._open)
        if self._open is None:
            return
        name = has.get("name", "")
        if tag == "input" and name:
            self._input(self._open, name, has)
        elif tag == "button" and name:
            self._open.fields.setdefault(name, [has.get("value", "")])
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            chosen = self._open.fields.get(self._select)
            if has.get("value") and (chosen is None or "selected" in has):
                self._open.fields[self._select] = [self._typed.get(self._select, has["value"])]
        elif tag == "textarea":
            self._text = (name, "")

    def _input(self, form: Form, name: str, has: dict[str, str]) -> None:
        kind = has.get("type", "text")
        if kind == "file":
            form.files.add(name)
        elif kind in ("checkbox", "radio"):
            wanted = "checked" in has or "required" in has or name in self._typed
            if wanted and (kind == "checkbox" or "checked" in has or name not in form.fields):
                form.fields[name] = [self._typed.get(name, has.get("value", "on"))]
        elif kind != "submit":
            form.fields[name] = [self._typed.get(name, has.get("value") or _WORDS.get(kind, "测试说明"))]

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text = (self._text[0], self._text[1] + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea" and self._text is not None and self._open is not None:
            name, text = self._text
            self._open.fields[name] = [self._typed.get(name, text.strip() or "测试说明")]
            self._text = None


_WORDS: Final = {"hidden": "", "number": "", "tel": "", "search": "", "date": ""}


def refusal(answer: HttpResponseBase) -> str:
    """Why nothing was done, as the page says it."""
    if answer.status_code >= 500:
        return repr(getattr(answer, "exc_info", ("", ""))[1])
    return refusal_on(getattr(answer, "content", b"").decode(errors="replace"))


def refusal_on(text: str) -> str:
    """The same of a page's text."""
    said = re.findall(r'(?s)class="[^"]*error[^"]*"[^>]*>(.*?)</(?:ul|p|div)>', text) or re.findall(
        r"(?s)<main.*?</main>", text
    )
    return " ".join(re.sub(r"<[^>]+>", " ", " ".join(said)).split())[:300]


def filled(
    page: str, *, path: str, typed: Mapping[str, str], files: Mapping[str, bytes]
) -> Iterator[dict[str, Any]]:
    """What each form of the page that leads to `path` would send, filled in."""
    reader = _Forms(typed)
    reader.feed(page)
    for form in reader.forms:
        if form.action in ("", ".", path):
            sent: dict[str, Any] = {
                name: values if len(values) > 1 else values[0] for name, values in form.fields.items()
            }
            sent |= {
                name: SimpleUploadedFile(f"{name}.csv", files[name]) for name in form.files if name in files
            }
            yield {name: value for name, value in sent.items() if value != ""} | dict(typed_here(form, typed))


def typed_here(form: Form, typed: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Of the words to type, those for which the form has a field."""
    return ((name, value) for name, value in typed.items() if name in form.fields)


def moment(hours: float) -> str:
    """An instant before or after now as typed into a form."""
    return f"{clock.now().astimezone(LEGAL_ZONE) + timedelta(hours=hours):%Y-%m-%dT%H:%M}"


def state() -> dict[str, tuple[int, str]]:
    """Rows and contents of every table, as somebody sees them who sees the whole district."""
    with transaction.atomic(), connection.cursor() as cursor:
        set_scope(areas=[DISTRICT])
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        tables = [t for (t,) in cursor.fetchall() if t not in _NOT_EFFECTS and not t.startswith("axes_")]
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{t}', count(*), coalesce(md5(string_agg(r::text, ',' ORDER BY r::text)), '')"
                f' FROM "{t}" r'
                for t in tables
            )
        )
        return {table: (rows, content) for table, rows, content in cursor.fetchall()}


def left(before: dict[str, tuple[int, str]]) -> dict[str, int]:
    """How many rows each table that changed has gained since."""
    return {t: rows - before[t][0] for t, (rows, content) in state().items() if content != before[t][1]}


class Json(dict[str, str]):
    """What a script on a page sends instead of a form."""


def post(client: Client, path: str, sent: dict[str, Any]) -> Any:
    """Send it once."""
    if isinstance(sent, Json):
        return client.post(path, sent, content_type="application/json")
    return client.post(path, fresh(sent))


class _Undone(Exception):
    pass


def tried(client: Client, path: str, sent: dict[str, Any]) -> tuple[HttpResponseBase, dict[str, int]]:
    """The answer to one request and what it left, all of it undone again."""
    before = state()
    try:
        with transaction.atomic():
            answer = post(client, path, sent)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            effects = left(before)
            raise _Undone
    except _Undone:
        return answer, effects


def twice_at_once(
    clients: list[Client], path: str, sent: dict[str, Any]
) -> list[HttpResponseBase | Exception]:
    """The same request by all of these browsers; all stand inside the view before any goes on."""
    inside = Barrier(len(clients))
    admit = web._admit

    def admitted(declared: web.Surface, request: HttpRequest) -> HttpResponse | None:
        answer = admit(declared, request)
        with suppress(BrokenBarrierError):  # one of them was held up before the view: it comes second
            inside.wait(timeout=2)
        return answer

    def send(client: Client) -> HttpResponseBase:
        answer: HttpResponseBase = post(client, path, sent)
        return answer

    with patch.object(web, "_admit", admitted):
        return at_once([lambda c=c: send(c) for c in clients])  # type: ignore[misc]  # bound by default


def fresh(sent: dict[str, Any]) -> dict[str, Any]:
    """The same fields, every file at its beginning."""
    for value in sent.values():
        if isinstance(value, SimpleUploadedFile):
            value.seek(0)
    return {
        name: SimpleUploadedFile(value.name or "f", value.read())
        if isinstance(value, SimpleUploadedFile)
        else value
        for name, value in sent.items()
    }
