"""Checkpoints that a killed process cannot spoil: written beside, hashed in a manifest, then renamed into place.

Trainer writes its own in place and resumes from the highest number even if that one is half written.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

MANIFEST = "manifest.json"  # {file name: sha256}; written last, so its presence and hashes mean that the rest is whole
Write = Callable[[Path, bytes], None]


def write_synced(path: Path, data: bytes) -> None:
    """Write a new file and wait until it is on the disk."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def commit(folder: Path, files: Mapping[str, bytes], last: str = "", write: Write = write_synced) -> None:
    """Make folder appear with all its files or not at all; an existing one is replaced only by a whole one.

    last names a file to be written after all others. OSError (disk full, no permission) leaves the old state and no
    litter. A process killed within leaves at most a `.partial-` folder, which `sweep` removes.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".partial-{folder.name}-{secrets.token_hex(8)}")
    try:
        partial.mkdir()
        for name in sorted(files, key=lambda name: name == last):
            write(partial / name, files[name])
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        write(partial / MANIFEST, json.dumps(hashes, indent=1).encode())
        sync_folder(partial)
        _replace(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync_folder(folder.parent)


def _replace(partial: Path, folder: Path) -> None:
    """Rename into place. A folder cannot be renamed over a full one, so the old one steps aside first."""
    if not folder.exists():
        os.rename(partial, folder)
        return
    aside = folder.with_name(f".partial-old-{secrets.token_hex(8)}")
    os.rename(folder, aside)
    try:
        os.rename(partial, folder)
    except OSError:
        os.rename(aside, folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk; systems without that (Windows) go on."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def valid(folder: Path) -> bool:
    """Whether every file of the manifest is there with its hash."""
    try:
        hashes = json.loads((folder / MANIFEST).read_bytes())
        return all(
            hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected for name, expected in hashes.items()
        )
    except (OSError, ValueError, AttributeError):
        return False


def name(step: int) -> str:
    """Folder name of the checkpoint after this many optimizer steps; names sort by step."""
    return f"step-{step:08d}"


def newest(folder: Path) -> Path | None:
    """The newest checkpoint in a folder that is whole, or None. Damaged newer ones are passed over."""
    return next((path for path in sorted(folder.glob("step-*"), reverse=True) if valid(path)), None)


def sweep(folder: Path, keep: int = 2) -> None:
    """Remove what killed processes left, and all checkpoints but the newest `keep` whole ones."""
    for path in folder.glob(".partial-*"):
        shutil.rmtree(path, ignore_errors=True)
    whole = [path for path in sorted(folder.glob("step-*"), reverse=True) if (path / MANIFEST).exists()]
    for path in whole[keep:]:
        shutil.rmtree(path, ignore_errors=True)
