"""What every HTTP request passes before it reaches gradio: routes, sizes, foreign addresses, security headers.

A file's size is limited by gradio (max_file_size); here the whole request is, and how many files it brings.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

from ftrag import quotas
from ftrag.errors import InputError
from ftrag.ui import texts

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# Routes of gradio's API that the page, gradio_client and MCP use; the others (proxy, monitoring, editing, recording,
# deep links, component servers, profiling) are not there.
ROUTES = {
    *("info", "openapi.json", "config", "app_id", "user", "token", "login_check", "login", "logout", "startup-events"),
    *("theme.css", "heartbeat", "queue", "call", "run", "api", "cancel", "reset", "upload", "upload_progress", "mcp"),
}
PAGES = {"monitoring", "deep_link", "svelte"}  # of gradio, outside its API
JSON_BYTES = 4_000_000  # of one call: a long chat and a table fit
DRAINED_BYTES = 300_000_000  # of a refused body; after that the connection is cut
CALLS = {"queue", "call", "run", "api", "mcp", "cancel", "reset"}
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]


class Refused(Exception):
    """A request that ends here. args: status, one sentence."""


def policy() -> bytes:
    """Content-Security-Policy: nothing is loaded from, or sent to, another origin. gradio needs inline scripts."""
    hub = " https://huggingface.co" if quotas.on_space() else ""
    frame = " https://cdnjs.cloudflare.com" if quotas.on_space() else ""  # gradio's iframe resizer, inside a Space
    rules = [
        "default-src 'self'",
        f"script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:{frame}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        f"connect-src 'self' data: blob:{hub}",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    ]
    return "; ".join(rules).encode()


class Body:
    """A request's body as it comes, and what still has to come of it."""

    def __init__(self, receive: Receive) -> None:
        self.receive = receive
        self.read = 0  # bytes
        self.more = True

    async def __call__(self) -> Message:
        message = await self.receive()
        self.read += len(message.get("body", b""))
        self.more = message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Drop the rest of a refused body: a client that is cut off while it sends sees no words."""
        while self.more and self.read < DRAINED_BYTES:
            await self()


class Gate:
    """ASGI middleware; temporary: the folder that uploads go to."""

    def __init__(self, app: Any, temporary: Path) -> None:
        self.app = app
        self.temporary = temporary

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        arriving = Body(receive)
        try:
            receive = await self.admitted(scope, arriving)
        except Refused as refusal:
            await arriving.drain()
            await _answer(send, *refusal.args)
            return
        started = False

        async def out(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", []), *_headers(message)]
            await send(message)

        try:
            await self.app(scope, receive, out)
        except Refused as refusal:  # met while the body was being read
            if not started:
                await arriving.drain()
                await _answer(send, *refusal.args)

    async def admitted(self, scope: Message, receive: Receive) -> Receive:
        """The body's reader for a request that may go on. Raises Refused."""
        parts = [part for part in scope["path"].split("/") if part]
        if parts and parts[0] in PAGES or parts[:2] == ["gradio_api", "deep_link"]:
            raise Refused(404, texts.NOTHING_HERE)
        route = parts[1] if len(parts) > 1 and parts[0] == "gradio_api" else ""
        if route.startswith("file="):
            if "://" in scope["path"] or ":/" in route:
                raise Refused(403, texts.OWN_FILES)
        elif route and route not in ROUTES:
            raise Refused(404, texts.NOTHING_HERE)
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return receive
        if route == "upload":
            return self.upload(scope, receive)
        declared(scope, JSON_BYTES, texts.A_CALL)
        return await checked_call(receive) if route in CALLS else _counted(receive, JSON_BYTES)

    def upload(self, scope: Message, receive: Receive) -> Receive:
        """Uploads: size, count, how many an hour, and whether the temporary folder has room."""
        declared(scope, quotas.limit("upload_bytes"), texts.AN_UPLOAD)
        try:
            forwarded = dict(scope["headers"]).get(b"x-forwarded-for", b"").decode("latin-1")
            quotas.upload(quotas.address(str((scope.get("client") or ["?"])[0]), forwarded))
        except InputError as error:
            raise Refused(429, str(error)) from None
        if quotas.bytes_of_all(self.temporary) > quotas.limit("temporary_bytes"):
            raise Refused(507, texts.UPLOADS_FULL)
        return _counted(receive, quotas.limit("upload_bytes"), quotas.limit("upload_files"))


def _headers(start: Message) -> list[tuple[bytes, bytes]]:
    html = any(key.lower() == b"content-type" and b"text/html" in value for key, value in start.get("headers", []))
    return [*HEADERS, (b"content-security-policy", policy())] if html else HEADERS


def declared(scope: Message, most: int, what: str) -> None:
    """Refuse a body that says itself that it is too large."""
    length = dict(scope["headers"]).get(b"content-length", b"0")
    if not length.isdigit() or int(length) > most:
        raise Refused(413, texts.TOO_LARGE.format(what=what, most=most // 1_000_000))


def _counted(receive: Receive, most: int, files: int = 0) -> Receive:
    """The body as it comes, until it exceeds its bytes or its files."""
    seen, parts, tail = 0, 0, b""

    async def reader() -> Message:
        nonlocal seen, parts, tail
        message = await receive()
        body = message.get("body", b"")
        seen += len(body)
        if files:
            text = tail + body
            parts += text.count(b"filename=") - tail.count(b"filename=")
            tail = text[-16:]
        if seen > most:
            raise Refused(413, texts.TOO_LARGE.format(what=texts.A_REQUEST, most=most // 1_000_000))
        if files and parts > files:
            raise Refused(413, texts.TOO_MANY_FILES.format(files=files))
        return message

    return reader


async def checked_call(receive: Receive) -> Receive:
    """A call's whole body: JSON that names no file at a foreign address."""
    reader, body, more = _counted(receive, JSON_BYTES), b"", True
    while more:
        message = await reader()
        if message["type"] == "http.disconnect":
            break
        body, more = body + message.get("body", b""), message.get("more_body", False)
    try:
        value = json.loads(body or b"null")
    except (ValueError, RecursionError):
        raise Refused(400, texts.NOT_JSON) from None
    if any("://" in path or path.startswith("//") for path in _paths(value)):
        raise Refused(400, texts.NO_ADDRESS)
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _paths(value: Any) -> Iterator[str]:
    """Every text under a key `path`, however deep."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(path := one.get("path"), str):
                yield path.strip()
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


async def _answer(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"error": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
