"""See the package."""

from __future__ import annotations

from . import FILES, FOLDER, text_of

FOLDER.mkdir(parents=True, exist_ok=True)
for name in FILES:
    (FOLDER / f"{name}.json").write_text(text_of(name))
