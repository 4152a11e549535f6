"""The machine interface is described whole, and the description is the code's."""

from __future__ import annotations

import ast
import inspect
import json
from typing import Final

import pytest
from django.conf import settings
from django.test import Client
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR
from tests.access.addresses import addresses

from lianfang.accounts.web import Audience
from lianfang.config import openapi
from lianfang.gates import front

#: Files of the two applications and ways to their slash: for browsers, not for machines.
FILES: Final = {"/gate", "/gate/<path:name>", "/open/verify", "/open/verify/<path:name>"}


def test_it_is_valid_openapi() -> None:
    wrong = [
        f"{e.instance_path}: {e.message}" for e in OPENAPI_31_VALIDATOR.iter_errors(openapi.description())
    ]
    assert not wrong, "\n".join(wrong)


def test_the_validator_finds_a_fault() -> None:
    broken = json.loads(openapi.text())
    del broken["paths"]["/keys"]["get"]["responses"]["200"]["description"]
    assert list(OPENAPI_31_VALIDATOR.iter_errors(broken))


def test_the_document_is_what_the_code_says() -> None:
    file = settings.ROOT_DIR / "docs" / "openapi.json"
    assert file.read_text() == openapi.text(), "run `lianfang openapi`"


def test_every_address_for_machines_is_described() -> None:
    """What lies under /api/, and what anybody may fetch that ends in no slash: pages end in one."""
    described = {operation.view for operation in openapi.operations()}
    machine = {
        a.name: str(a)
        for a in addresses()
        if a.surface is not None
        and a.route
        and (
            a.route.startswith("api/")
            or (a.surface.audience == Audience.PUBLIC and not a.route.endswith("/") and str(a) not in FILES)
        )
    }
    assert len(machine) > 8
    assert not {path for name, path in machine.items() if name not in described}


def _front_routes() -> set[tuple[str, str]]:
    """The cases of the front's one `match`, as method and path."""
    found = set()
    for case in ast.walk(ast.parse(inspect.getsource(front._route))):
        if isinstance(case, ast.match_case) and isinstance(case.pattern, ast.MatchSequence):
            parts = [
                str(ast.literal_eval(p.value)) if isinstance(p, ast.MatchValue) else f"{{{p.name}}}"  # type: ignore[attr-defined]  # a capture has a name
                for p in case.pattern.patterns
            ]
            found.add((parts[0].lower(), "/" + "/".join(parts[1:])))
    return found


def test_the_front_of_the_gates_is_described_and_nothing_else() -> None:
    described = {(o.method, o.path) for o in openapi.operations() if o.path}
    assert _front_routes() == described


def test_names_are_unique() -> None:
    names = [o.name for o in openapi.operations()]
    assert len(names) == len(set(names))


@pytest.mark.django_db
def test_it_is_served_and_caches_may_keep_it() -> None:
    answer = Client().get("/api/v1/openapi.json")
    assert answer.content.decode() == openapi.text()
    assert answer["Content-Type"] == "application/json"
    assert "public" in answer["Cache-Control"]
    again = Client().get("/api/v1/openapi.json", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
