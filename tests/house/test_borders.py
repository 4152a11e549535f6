"""The borders no import shows: private modules of a room, foreign keys, dead rooms."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

SOURCE = Path(settings.ROOT_DIR) / "src" / "lianfang"
ROOMS: list[str] = ["config", *settings.ROOMS]
PRIVATE = {"models", "views", "forms", "api", "jobs", "urls"}
#: `config` is the only place that knows all: it mounts urls and starts loops.
OPEN_TO_CONFIG = {"urls", "jobs", "api"}


def _imports(file: Path) -> list[tuple[str, str]]:
    """(room, module) of every import of another room's module in the file, those for types alone left out."""
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    own = file.relative_to(SOURCE).parts[0]
    found: list[tuple[str, str]] = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{a.name}" for a in node.names]
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "lianfang" and len(parts) > 2 and parts[1] != own:
                found.append((parts[1], parts[2]))
    return found


def _files() -> list[Path]:
    return [f for f in SOURCE.rglob("*.py") if "migrations" not in f.parts]


@pytest.mark.parametrize("file", _files(), ids=lambda f: str(f.relative_to(SOURCE)))
def test_no_file_looks_into_the_private_modules_of_another_room(file: Path) -> None:
    own = file.relative_to(SOURCE).parts[0]
    allowed = OPEN_TO_CONFIG if own == "config" else set()
    wrong = [f"{r}.{m}" for r, m in _imports(file) if m in PRIVATE - allowed]
    assert not wrong, (
        f"{file.relative_to(SOURCE)} imports {wrong}: ask {wrong[0].split('.')[0]}'s queries or actions"
    )


def test_foreign_keys_point_downwards() -> None:
    order = {room: place for place, room in enumerate(ROOMS)}
    wrong = []
    for model in apps.get_models():
        if (own := model._meta.app_label) not in order:
            continue
        for field in model._meta.get_fields():
            target = getattr(field, "related_model", None)
            if not field.concrete or target is None or isinstance(target, str):
                continue
            other = target._meta.app_label
            if other in order and order[other] < order[own]:
                wrong.append(f"{own}.{model.__name__}.{field.name} → {other}")
    assert not wrong


def test_migrations_import_nothing_of_the_application() -> None:
    wrong = []
    for file in SOURCE.glob("*/migrations/*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lianfang"):
                if node.module == "lianfang.kernel.fields":
                    continue  # the type of a column is part of the schema
                wrong.append(f"{file.relative_to(SOURCE)}: {node.module}")
    assert not wrong


def test_every_room_says_what_it_decides() -> None:
    for room in [f.name for f in SOURCE.iterdir() if (f / "__init__.py").exists()]:
        assert (SOURCE / room / "__init__.py").read_text().startswith('"""'), (
            f"{room}/__init__.py has no first sentence"
        )
        if room != "config":
            assert (SOURCE / room / "README.md").exists(), f"{room} has no README.md"
