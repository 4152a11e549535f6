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

import typst
from fontTools.ttLib import TTFont

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
def typefaces() -> typst.Fonts:
    """What the typesetter found in `paths()`; nothing of the machine's own fonts."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(p) for p in paths()],
    )


@cache
def families() -> tuple[str, ...]:
    """The families to set text in, in the order of use: serif, sans, then the operator's own."""
    return tuple(dict.fromkeys([SERIF, SANS, *(face.family for face in _faces())]))


def missing(text: str) -> list[str]:
    """The characters of `text` that no typeface holds, each once, in order of appearance."""
    held = _held()
    lacking = {c for c in set(text) if c not in _LAID_OUT and ord(c) not in held}
    return list(dict.fromkeys(c for c in text if c in lacking)) if lacking else []


@cache
def _held() -> frozenset[int]:
    held: set[int] = set()
    for face in _faces():
        with TTFont(face.path, fontNumber=face.index, lazy=True) as font:
            held.update(font.getBestCmap())
    return frozenset(held)


def _faces() -> list[typst.FontInfo]:
    """The faces in use: of the locked files the two named above, of the operator's folder all.

    Asked of the typesetter and not of the files: a file it cannot load holds no character.
    """
    locked = [str(folder) for folder in paths()[: len(_LOCKED)]]
    return [
        face
        for face in typefaces().fonts()
        if face.path is not None
        and (
            face.family in (SERIF, SANS)
            or not any(face.path.startswith(folder + os.sep) for folder in locked)
        )
    ]
