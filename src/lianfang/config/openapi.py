"""The machine interface in OpenAPI 3.1, made from the registry of addresses and what the rooms' `api.py` say.

`lianfang openapi` writes it to `docs/openapi.json`; with `--check` it fails when the file differs from the code. The same text is served at `/api/v1/openapi.json`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.conf import settings
from django.http import HttpResponse, HttpResponseNotModified
from django.urls import URLPattern, URLResolver, get_resolver, path
from django.views.decorators.http import require_safe

from lianfang.accounts.web import Surface, surface, surface_of
from lianfang.kernel.operations import Body

from .cli import source_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.http import HttpRequest

    from lianfang.kernel.operations import Operation

_VERSION: Final = "1"
_PROOFS: Final[Mapping[str, dict[str, str]]] = {
    "device": {
        "type": "http",
        "scheme": "LF-Device",
        "description": "设备密钥签名的令牌，见 docs/gates.md“Who asks” / a token signed by the device's key",
    },
    "witness": {
        "type": "http",
        "scheme": "bearer",
        "description": "见证方密钥签名的读取令牌，见 docs/chain.md / a reading token signed by a witness",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "已登录的居民，另加防伪造令牌 / a resident's session, with the token against forged requests",
    },
}
_ARGUMENTS: Final[Mapping[str, dict[str, object]]] = {
    "UUIDConverter": {"type": "string", "format": "uuid"},
    "IntConverter": {"type": "integer", "minimum": 0},
    "PathConverter": {"type": "string"},
    "SlugConverter": {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"},
}
_DESCRIPTION: Final = (
    "联防系统对机器开放的全部接口。正文格式：docs/gates.md、docs/chain.md。"
    " Everything machines may ask of lianfang. CBOR bodies carry their shape in CDDL as `x-cddl`; of a signed"
    " body it is that of the claims. `x-repeat` says what the same request does when it comes once more,"
    " `x-rate` how often one party may ask (docs/rights.md)."
)


@dataclass(frozen=True)
class _Address:
    """A Django address with a name."""

    template: str
    arguments: tuple[tuple[str, dict[str, object]], ...]
    surface: Surface


def operations() -> list[Operation]:
    """What all rooms say machines may ask, from the top down."""
    rooms = ["config", *settings.ROOMS]
    found: list[Operation] = []
    for room in rooms:
        if find_spec(f"lianfang.{room}") is not None and find_spec(f"lianfang.{room}.api") is not None:
            found += import_module(f"lianfang.{room}.api").OPERATIONS
    return found


def _named(
    patterns: Sequence[URLPattern | URLResolver], before: str = "", namespace: str = ""
) -> Iterator[tuple[str, _Address]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _named(
                pattern.url_patterns,
                route,
                f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace,
            )
            continue
        declared = surface_of(pattern.callback)
        if pattern.name and declared is not None:
            template = "/" + route
            arguments: list[tuple[str, dict[str, object]]] = []
            for name, converter in pattern.pattern.converters.items():
                kind = type(converter).__name__
                arguments.append((name, _ARGUMENTS.get(kind, {"type": "string"})))
                head, _, rest = template.partition(f":{name}>")
                template = f"{head[: head.rindex('<')]}{{{name}}}{rest}"
            yield f"{namespace}{pattern.name}", _Address(template, tuple(arguments), declared)


def _schema(body: Body) -> dict[str, Any]:
    if body.type is not None:
        return {"$ref": f"#/components/schemas/{body.type.__name__}"}
    if body.schema is not None:
        return dict(body.schema)
    if body.shape:
        return {"contentMediaType": body.media, "x-cddl": body.shape}
    return {"type": "string"} if body.media.startswith("text/") else {}


def _content(body: Body) -> dict[str, Any]:
    return {body.media: {"schema": _schema(body)}}


def _operation(operation: Operation, address: _Address | None) -> tuple[str, dict[str, Any]]:
    if address is None:
        template, rate, repeat = operation.path, operation.rate, operation.repeat
        names = [part[1:-1] for part in template.split("/") if part.startswith("{")]
        arguments: list[tuple[str, dict[str, object]]] = [
            (n, {"type": "string", **({"format": "uuid"} if n in operation.uuids else {})}) for n in names
        ]
    else:
        template, arguments = address.template, list(address.arguments)
        rate, repeat = address.surface.rate, address.surface.repeat
    parameters: list[dict[str, Any]] = [
        {"name": n, "in": "path", "required": True, "schema": dict(schema)} for n, schema in arguments
    ]
    parameters += [
        {
            "name": n,
            "in": "query",
            "required": "default" not in schema,
            "schema": dict(schema),
            "description": says,
        }
        for n, (schema, says) in operation.query.items()
    ]
    parameters += [
        {"name": n, "in": "header", "required": False, "schema": {"type": "string"}, "description": says}
        for n, says in operation.headers.items()
    ]
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.says,
        "x-rate": str(rate),
        "x-repeat": str(repeat),
    }
    if parameters:
        told["parameters"] = parameters
    if operation.takes is not None:
        told["requestBody"] = {
            "required": True,
            "description": operation.takes.says,
            "content": _content(operation.takes),
        }
    told["responses"] = {
        str(status): {"description": body.says, "content": _content(body)}
        if isinstance(body, Body)
        else {"description": body}
        for status, body in sorted(operation.answers.items())
    }
    if operation.proof == "witness":
        told["security"] = [{}, {"witness": []}]  # hash tiles are for everybody
    elif operation.proof != "none":
        told["security"] = [{operation.proof: []}]
    return template, told


def description() -> dict[str, Any]:
    """The whole description.

    :raises LookupError: a room describes an address that is not registered
    """
    named = dict(_named(get_resolver(settings.ROOT_URLCONF).url_patterns))
    paths: dict[str, dict[str, Any]] = {}
    types: set[type[object]] = set()
    for operation in operations():
        if operation.view and operation.view not in named:
            raise LookupError(f"{operation.name} describes {operation.view}, which is no address")
        template, told = _operation(operation, named.get(operation.view))
        paths.setdefault(template, {})[operation.method] = told
        bodies = [operation.takes, *operation.answers.values()]
        types |= {b.type for b in bodies if isinstance(b, Body) and b.type is not None}
    _, schemas = msgspec.json.schema_components(
        sorted(types, key=lambda t: t.__name__), ref_template="#/components/schemas/{name}"
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "lianfang 联防", "version": _VERSION, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {"securitySchemes": dict(_PROOFS), "schemas": schemas},
    }


@cache
def text() -> str:
    """The description as it is served and kept in the documents."""
    return json.dumps(description(), ensure_ascii=False, indent=1) + "\n"


@cache
def _tag() -> str:
    return f'"{sha256(text().encode()).hexdigest()[:24]}"'


@require_safe
@surface(public=True)
def openapi(request: HttpRequest) -> HttpResponse:
    """The description, for anybody; the same until the next release."""
    response: HttpResponse
    if request.headers.get("If-None-Match") == _tag():
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(text(), content_type="application/json")
    response["ETag"] = _tag()
    response["Cache-Control"] = "public, max-age=3600"
    response["Access-Control-Allow-Origin"] = "*"
    return response


urlpatterns = [path("api/v1/openapi.json", openapi, name="openapi")]


def write(*, check: bool) -> int:
    """Write the file, or say whether it is what the code says; returns the exit code."""
    file = source_root() / "docs" / "openapi.json"
    if not check:
        file.write_text(text())
        return 0
    if file.exists() and file.read_text() == text():
        return 0
    sys.stderr.write("docs/openapi.json is not what the code says: run `lianfang openapi`\n")
    return 1
