"""Who is asking: a visitor's private workspace, and errors in the visitor's words."""

from __future__ import annotations

import functools
import hashlib
import inspect
import os
import re
import secrets
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ftrag import housekeeping, quotas
from ftrag import project as projects
from ftrag.errors import FtragError, InputError, NotFound
from ftrag.ui import texts

VISITOR = re.compile(r"[0-9a-f]{32}")  # 128 random bits


def new_visitor() -> str:
    return secrets.token_hex(16)


def secret() -> str:
    """The key that encrypts visitors' ids in their browsers; kept, so that a restart loses nobody's workspace."""
    path = projects.home() / "secret"
    if not path.exists():
        projects.write_bytes(path, secrets.token_hex(32).encode())
        path.chmod(0o600)
    return path.read_text()


def owner(visitor: str) -> str:
    """What jobs are filed under: a hash, so that no id is ever part of a path or a listing. InputError for a non-id."""
    if not isinstance(visitor, str) or not VISITOR.fullmatch(visitor):
        raise InputError(texts.NO_VISITOR)
    return hashlib.sha256(visitor.encode()).hexdigest()[:32]


def workspace(visitor: str) -> Path:
    """The visitor's own FTRAG_HOME; with FTRAG_SHARED_HOME=1 the one that the command line uses."""
    name = owner(visitor)
    if os.environ.get("FTRAG_SHARED_HOME") == "1":
        return projects.home()
    folder = projects.home() / "visitors" / name
    if not folder.is_dir():
        quotas.visitors(folder.parent)
        folder.mkdir(parents=True, exist_ok=True)
    housekeeping.touch(folder)
    return folder


def project(visitor: str, name: str | None) -> Path:
    """One of the visitor's projects, by name only: a path from a page is never followed."""
    if not name:
        raise InputError(texts.NO_PROJECT)
    if not isinstance(name, str) or not projects.NAME.fullmatch(name):
        raise NotFound(texts.UNKNOWN_PROJECT)
    return projects.find(name, workspace(visitor))


def guarded(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A handler whose errors reach the visitor as one sentence, and nobody as a traceback, and that keeps the quotas.

    The names of its parameters say what it uses: `visitor` with `question` is a question asked, with `file` or `files`
    an upload into the project called `name`.
    """
    names = list(inspect.signature(handler).parameters)
    return _reporting(handler, lambda args: _admit(dict(zip(names, args, strict=False))))


def _admit(given: Mapping[str, Any]) -> None:
    """InputError where what a handler was given goes over the visitor's quota."""
    visitor = given.get("visitor")
    if visitor is None:
        return
    if given.get("question"):
        quotas.ask(owner(visitor))
    files = given.get("files") or given.get("file")
    if files:
        paths = [_uploaded(file) for file in (files if isinstance(files, list) else [files])]
        quotas.room(workspace(visitor), paths)
        quotas.documents(project(visitor, given.get("name")), len(paths))


def _uploaded(file: Any) -> Path:
    """The path of an upload; what lies elsewhere on the server's disk is no upload, whoever names it."""
    folder, path = os.environ.get("GRADIO_TEMP_DIR"), Path(str(file))
    if folder and not path.resolve().is_relative_to(Path(folder).resolve()):
        raise InputError(texts.NO_UPLOAD)
    return path


def _reporting(handler: Callable[..., Any], admit: Callable[[Sequence[Any]], None]) -> Callable[..., Any]:
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def stream(*args: Any, **kwargs: Any) -> Iterator[Any]:
            try:
                admit(args)
                yield from handler(*args, **kwargs)
            except Exception as error:
                raise _for_visitor(error) from None

        return stream

    @functools.wraps(handler)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            admit(args)
            return handler(*args, **kwargs)
        except Exception as error:
            raise _for_visitor(error) from None

    return call


def _for_visitor(error: Exception) -> gr.Error:
    if isinstance(error, gr.Error):
        return error
    if isinstance(error, FtragError):
        return gr.Error(_framed(str(error)), title=texts.PLEASE, duration=8, print_exception=False)
    traceback.print_exception(error)
    return gr.Error(texts.OUR_FAULT, title=texts.SORRY, duration=8, print_exception=False)


def _framed(text: str) -> str:
    """The text as HTML. gradio's page drops a quotation mark at either end: an unseen space there keeps it."""
    unseen = "\u200b"
    before = unseen if text.startswith(("'", '"')) else ""
    after = unseen if text.endswith(("'", '"')) else ""
    return before + escape(text, quote=False) + after
