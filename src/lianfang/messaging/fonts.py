"""Finds the typefaces papers are set in, and says which characters none of them holds.

A typesetter that lacks a character prints a box and loses it from the text layer, without an error.
A box in a name is a paper that names nobody, so every character is looked up before anything is printed.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTCollection, TTFont

#: The locked typefaces, as wheels: the module, and the files of it that papers use.
_LOCKED: Final = {
    "pylopdf_fonts_zh_cn": ("NotoSerifSC-Regular.otf",),
    "noto_cjk_sans_otc": ("NotoSansCJK-Regular.ttc",),
}

#: The families those files hold, in the order in which a character is looked for.
SERIF: Final = "Noto Serif SC"
SANS: Final = "Noto Sans CJK SC"

#: A folder of the operator's own fonts for characters that the locked ones lack.
EXTRA_FOLDER_SETTING: Final = "LIANFANG_FONTS"

#: White space that a template lays out itself; no typeface needs a shape for it.
_LAID_OUT: Final = frozenset("\n\t \u3000")


@cache
def paths() -> tuple[Path, ...]:
    """The folders that hold the typefaces: the locked ones first, the operator's own folder last.

    :raises FileNotFoundError: a locked typeface is not installed, or the named folder does not exist
    """
    folders = [_folder(module, names) for module, names in _LOCKED.items()]
    if extra := os.environ.get(EXTRA_FOLDER_SETTING):
        folder = Path(extra)
        if not folder.is_dir():
            raise FileNotFoundError(f"{EXTRA_FOLDER_SETTING}={extra} is not a folder")
        folders.append(folder)
    return tuple(folders)


def _folder(module: str, names: tuple[str, ...]) -> Path:
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the typefaces of {module} are not installed")
    folder = Path(next(iter(spec.submodule_search_locations)))
    for name in names:
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder / name} is missing")
    return folder


@cache
def families() -> tuple[str, ...]:
    """Names of the families in `paths()`, in the order of use: serif, sans, then the operator's own."""
    own = {SERIF: None, SANS: None}
    for file in _files()[len(_LOCKED) :]:
        own |= dict.fromkeys(family for family, _ in _faces(file))
    return tuple(own)


def missing(text: str) -> list[str]:
    """The characters of `text` that no typeface holds, each once, in order of appearance."""
    held = _held()
    lacking = {c for c in set(text) if c not in _LAID_OUT and ord(c) not in held}
    return list(dict.fromkeys(c for c in text if c in lacking)) if lacking else []


@cache
def _held() -> frozenset[int]:
    held: set[int] = set()
    for file in _files():
        for _, characters in _faces(file):
            held |= characters
    return frozenset(held)


def _files() -> list[Path]:
    """Every font file that papers may use; of a locked folder only the files named above."""
    folders = paths()
    files = [
        folder / name
        for folder, names in zip(folders[: len(_LOCKED)], _LOCKED.values(), strict=True)
        for name in names
    ]
    for folder in folders[len(_LOCKED) :]:
        files += sorted(p for p in folder.iterdir() if p.suffix.lower() in {".ttf", ".otf", ".ttc", ".otc"})
    return files


def _faces(file: Path) -> list[tuple[str, set[int]]]:
    """Family and characters of each face in a file; of our own collection only of the face that papers name."""
    if file.suffix.lower() not in {".ttc", ".otc"}:
        with TTFont(str(file), lazy=True) as face:
            return [(str(face["name"].getBestFamilyName()), set(face.getBestCmap()))]
    with TTCollection(str(file), lazy=True) as collection:
        names = [str(face["name"].getBestFamilyName()) for face in collection.fonts]
        return [
            (name, set(face.getBestCmap()))
            for name, face in zip(names, collection.fonts, strict=True)
            if name == SANS or SANS not in names
        ]
