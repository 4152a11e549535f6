"""Serves the applications that live whole in a folder of their own: the gate, the phone's pass and the verifier.

Each has a service worker that keeps the folder, so all its files stand below one path, with
their own content policy: nothing from elsewhere, no inline script, and WebAssembly only in the worker that decodes QR codes.
"""

from __future__ import annotations

import mimetypes
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from django.http import Http404, HttpResponse, HttpResponseNotModified, HttpResponsePermanentRedirect
from django.urls import path
from django.views.decorators.http import require_safe

from lianfang.accounts.web import surface
from lianfang.ledger import queries as ledger

from .islands import DIST

if TYPE_CHECKING:
    from pathlib import Path

    from django.http import HttpRequest
    from django.urls import URLPattern

#: What the applications may do.
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    )
)
#: The decoder of QR codes is WebAssembly. It runs in a worker, which lives by the policy of its own script.
READER_POLICY: Final = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
_READER: Final = "reader.js"
_WORKER: Final = "worker.js"
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
}


def _file(request: HttpRequest, folder: Path, name: str) -> HttpResponse:
    wanted = (folder / (name or "index.html")).resolve()
    if folder.resolve() not in wanted.parents or not wanted.is_file():
        raise Http404
    content = wanted.read_bytes()
    kind = _TYPES.get(wanted.suffix) or mimetypes.guess_type(wanted.name)[0] or "application/octet-stream"
    return _with_headers(request, content, kind, policy=policy_of(wanted.name))


def policy_of(name: str) -> str:
    """The content policy under which a file of an application is answered."""
    return READER_POLICY if name == _READER else POLICY


def _with_headers(request: HttpRequest, content: bytes, kind: str, *, policy: str = POLICY) -> HttpResponse:
    tag = f'"{sha256(content).hexdigest()[:24]}"'
    response: HttpResponse
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(content, content_type=kind)
    response["ETag"] = tag
    # Names carry no hash, so a browser asks each time; the service worker is what makes it fast.
    response["Cache-Control"] = "no-cache"
    response["Content-Security-Policy"] = policy
    response["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
    return response


@require_safe
@surface(public=True)
def gate(request: HttpRequest, name: str = "") -> HttpResponse:
    """A file of the gate application."""
    return _file(request, DIST / "gate", name)


@require_safe
@surface(public=True)
def phone_pass(request: HttpRequest, name: str = "") -> HttpResponse:
    """A file of the application that shows the codes of this phone; whose, only the phone knows."""
    response = _file(request, DIST / "pass", name)
    if name == _WORKER:
        # Who opens the page with a login but has no network is sent to the application by its worker.
        response["Service-Worker-Allowed"] = "/"
    return response


@require_safe
@surface(public=True)
def verifier(request: HttpRequest, name: str = "") -> HttpResponse:
    """A file of the verifier application."""
    return _file(request, DIST / "verifier", name)


@require_safe
@surface(public=True)
def policy_file(request: HttpRequest) -> HttpResponse:
    """Whom the verifier trusts: the policy file of this installation, as text."""
    return _with_headers(request, ledger.policy_text().encode(), "text/plain; charset=utf-8")


@require_safe
@surface(public=True)
def organs_file(request: HttpRequest) -> HttpResponse:
    """The organs' keys, signed by the log, as the verifier pins them."""
    note = ledger.organs_list()
    if not note:
        raise Http404
    return _with_headers(request, note, "text/plain; charset=utf-8")


@require_safe
@surface(public=True)
def slash(request: HttpRequest) -> HttpResponse:
    """The folder's name without its slash: relative addresses need it."""
    return HttpResponsePermanentRedirect(request.path_info + "/")


urlpatterns: list[URLPattern] = [
    path("gate", slash),
    path("gate/", gate, name="gate"),
    path("gate/<path:name>", gate),
    path("pass", slash),
    path("pass/", phone_pass, name="phone_pass"),
    path("pass/<path:name>", phone_pass),
    path("open/verify", slash),
    path("open/verify/", verifier, name="verifier"),
    path("open/verify/policy.txt", policy_file, name="verifier_policy"),
    path("open/verify/organs.txt", organs_file, name="verifier_organs"),
    path("open/verify/<path:name>", verifier),
]
