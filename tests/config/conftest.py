"""An installation in folders of its own, for what is written to disk and brought back."""

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def folder(settings: Any, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the database's user may enter, with an installation without witnesses under `data`."""
    made = tmp_path_factory.mktemp("restore")
    # The wheel of PostgreSQL asks for one.
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    for parent in (made, *made.parents):
        if parent == Path("/tmp"):
            break
        parent.chmod(0o755)
    data = made / "data"
    data.mkdir()
    settings.LIANFANG_DATA, settings.LIANFANG_WITNESSES = data, []
    (data / "chain.json").write_text(json.dumps({"origin": settings.LIANFANG_CHAIN_ORIGIN, "witnesses": []}))
    return made
