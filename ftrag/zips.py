"""Zips unpacked into flat files with names of their own; what is no document in them is named and left."""

from __future__ import annotations

import lzma
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Any

from ftrag.errors import InputError

UNPACKED_BYTES = 200_000_000  # all members of a zip together
MEMBERS = 2_000  # files in a zip
NAME_BYTES = 180  # of a member's name, which may get a number


def unzip(path: Path, folder: Path, suffixes: Collection[str]) -> dict[str, Any]:
    """Unpack the members whose names end in `suffixes`: {"members": [(name, file)], "refused": [(member, why)]}."""
    try:
        with zipfile.ZipFile(path) as archive:
            rows = [row for row in archive.infolist() if not row.is_dir() and not _is_litter(row.filename)]
            names = flat_names([_said(row) for row in rows])
            members = list(zip(rows, names, strict=True))
            refused = [(name, why) for row, name in members if (why := _unwanted(row, name, suffixes))]
            wanted = [(row, name) for row, name in members if not _unwanted(row, name, suffixes)]
            _check_sizes(rows, [row for row, _ in wanted])
            return _unpack(archive, wanted, folder, refused)
    except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
        raise InputError(f"it is not a readable zip ({error}); make it again") from None


def _said(row: zipfile.ZipInfo) -> str:
    """A member's name. macOS writes UTF-8 without the flag that says so, which is then read as code page 437."""
    if row.flag_bits & 0x800:
        return row.filename
    try:
        return row.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return row.filename


def _unwanted(row: zipfile.ZipInfo, name: str, suffixes: Collection[str]) -> str:
    """Why a member is not unpacked; "" if it is."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".zip":
        return "a zip inside a zip is not opened; upload it by itself"
    if suffix not in suffixes:
        return f"it is of an unknown type; save it as one of {', '.join(one[1:] for one in suffixes if one != '.zip')}"
    if stat.S_ISLNK(row.external_attr >> 16):  # its content is the name of another file
        return "it is a link to another file; zip that file itself"
    if row.flag_bits & 1:
        return "it is encrypted; zip it without a password"
    return ""


def _check_sizes(rows: list[zipfile.ZipInfo], wanted: list[zipfile.ZipInfo]) -> None:
    if len(rows) > MEMBERS:
        raise InputError(f"it holds {len(rows):,} files, over {MEMBERS:,}; split it")
    if not rows:
        raise InputError("it holds no files; zip at least one document")
    total = sum(row.file_size for row in wanted)
    if total > UNPACKED_BYTES:
        raise InputError(f"it unpacks to {total:,} bytes, over {UNPACKED_BYTES:,}; split it")


def _unpack(
    archive: zipfile.ZipFile,
    rows: list[tuple[zipfile.ZipInfo, str]],
    folder: Path,
    refused: list[tuple[str, str]],
) -> dict[str, Any]:
    members, room = [], UNPACKED_BYTES
    for number, (row, name) in enumerate(rows):
        try:
            with archive.open(row) as source:
                data = source.read(room + 1)  # the size in the header is a claim, not a fact
            (folder / str(number)).write_bytes(data[:room])
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, OSError) as error:
            refused.append((name, f"it cannot be unpacked ({error}); zip it again"))
            continue
        room -= len(data)
        if room < 0:
            raise InputError(f"it unpacks to over {UNPACKED_BYTES:,} bytes; split it")
        members.append((name, str(number)))
    return {"members": members, "refused": refused}


def flat_names(paths: list[str]) -> list[str]:
    """File names for members: the last part of the path, or the whole path joined by "-" where two would collide."""
    parts = [[p for p in PurePosixPath(path.replace("\\", "/")).parts if p not in ("/", "..", ".")] for path in paths]
    last = [_file_name((names or ["file"])[-1:]) for names in parts]
    counts = Counter(name.lower() for name in last)
    taken: set[str] = set()
    flat = []
    for names, short in zip(parts, last, strict=True):
        name = first = short if counts[short.lower()] == 1 else _file_name(names)
        number = 2
        while name.lower() in taken:
            stem, dot, suffix = first.rpartition(".")
            name, number = f"{stem or suffix}-{number}{dot if stem else ''}{suffix if stem else ''}", number + 1
        taken.add(name.lower())
        flat.append(name)
    return flat


def _file_name(parts: list[str]) -> str:
    """One name of at most NAME_BYTES bytes, its ending kept, with nothing that hides it or leaves the folder."""
    joined = "".join(sign if sign.isprintable() and sign != ":" else "-" for sign in "-".join(parts)).lstrip(".")
    if len(joined.encode()) <= NAME_BYTES:
        return joined or "file"
    ending = PurePosixPath(joined).suffix[:10]
    return joined.encode()[: NAME_BYTES - len(ending.encode())].decode(errors="ignore") + ending


def _is_litter(name: str) -> bool:
    return name.startswith("__MACOSX/") or PurePosixPath(name).name in (".DS_Store", "Thumbs.db", "desktop.ini")
