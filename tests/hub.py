"""A small server that speaks what huggingface_hub says to the Hub: repositories, commits, large files, downloads.

`break_after` ends the next large transfer in the middle, as a cut connection does.
"""

import base64
import contextlib
import hashlib
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "hf_" + "visitor" * 5
PIECE = 200_000  # bytes
REPO = r"(?:(spaces)/)?([\w.-]+/[\w.-]+)"


class Hub:
    """What the server holds: repo -> {file: bytes} per commit, uploaded objects, and what it was asked."""

    def __init__(self):
        self.repos = {}  # (kind, name) -> {"files": {path: bytes}, "sha": str, "private": bool, "sdk": str}
        self.objects = {}  # sha256 -> bytes
        self.asked = []  # (method, path)
        self.seen_tokens = set()
        self.break_after = 0  # bytes of the next large transfer after which the connection is cut
        self.stall = threading.Event()  # while it is set, large transfers never end
        self.pause = 0.0  # seconds between two pieces of a large transfer
        self.breaks = 0  # how often that happened
        self.address = ""

    def commit(self, kind, name, files):
        repo = self.repos[kind, name]
        repo["files"] = repo["files"] | files
        listed = sorted((path, hashlib.sha1(data).hexdigest()) for path, data in repo["files"].items())
        repo["sha"] = hashlib.sha1(repr(listed).encode()).hexdigest()
        return repo["sha"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_):
        pass

    def answer(self, value=None, status=200, headers=(), body=None):
        data = json.dumps(value).encode() if body is None else body
        self.send_response(status)
        for key, text in [("Content-Length", str(len(data))), *headers]:
            self.send_header(key, text)
        self.end_headers()
        if self.command != "HEAD":
            for start in range(0, len(data), PIECE):
                self.wfile.write(data[start : start + PIECE])
                time.sleep(self.hub.pause if len(data) > PIECE else 0)

    def refuse(self, status, code=""):
        self.answer({"error": code}, status, [("X-Error-Code", code)] if code else [])

    def cut(self):
        """End the connection without a word."""
        self.hub.break_after, self.hub.breaks = 0, self.hub.breaks + 1
        self.close_connection = True
        self.connection.close()

    def stall(self):
        """Keep a large transfer waiting; its client gives up or is killed."""
        deadline = time.monotonic() + 60
        while self.hub.stall.is_set() and time.monotonic() < deadline:
            time.sleep(0.05)

    def token(self):
        given = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if given:
            self.hub.seen_tokens.add(given)
        return given

    def read(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def handle_one(self, rows):
        path = self.path.split("?")[0]
        self.hub.asked.append((self.command, self.path))
        for method, pattern, function in rows:
            found = re.fullmatch(pattern, path)
            if method == self.command and found:
                return function(self, *found.groups())
        self.read()
        return self.refuse(404)

    def do_GET(self):
        self.handle_one(ROWS)

    do_HEAD = do_POST = do_PUT = do_GET


def whoami(self):
    known = self.token() == TOKEN
    return self.answer({"name": "visitor", "type": "user", "orgs": []}) if known else self.refuse(401)


def create(self):
    asked = json.loads(self.read())
    if self.token() != TOKEN:
        return self.refuse(401)
    kind, name = asked.get("type") or "model", f"{asked.get('organization') or 'visitor'}/{asked['name']}"
    if not name.startswith("visitor/"):
        return self.refuse(403)
    known = (kind, name) in self.hub.repos
    private = asked.get("private", asked.get("visibility") == "private")
    if not known:
        self.hub.repos[kind, name] = {"files": {}, "sha": "0" * 40, "private": private, "sdk": asked.get("sdk")}
    url = f"{self.hub.address}/{'spaces/' if kind == 'space' else ''}{name}"
    return self.answer({"url": url, "name": name, "id": name}, 409 if known else 200)


def preupload(self, kind, name, _revision):
    files = json.loads(self.read())["files"]
    if self.token() != TOKEN:
        return self.refuse(401)
    large = (".safetensors", ".bin")
    rows = [
        {"path": f["path"], "uploadMode": "lfs" if f["path"].endswith(large) else "regular", "shouldIgnore": False}
        for f in files
    ]
    return self.answer({"files": rows})


def batch(self, _kind, name):
    objects = json.loads(self.read())["objects"]
    rows = []
    for one in objects:
        upload = {"href": f"{self.hub.address}/upload/{one['oid']}", "header": {}}
        rows.append(one | ({} if one["oid"] in self.hub.objects else {"actions": {"upload": upload}}))
    return self.answer({"transfer": "basic", "objects": rows})


def upload(self, oid):
    length = int(self.headers["Content-Length"])
    self.stall()
    if self.hub.break_after:
        self.rfile.read(min(self.hub.break_after, length))
        return self.cut()
    data = b""
    while len(data) < length:
        data += self.rfile.read(min(PIECE, length - len(data)))
        time.sleep(self.hub.pause)
    if hashlib.sha256(data).hexdigest() != oid:
        return self.refuse(400)
    self.hub.objects[oid] = data
    return self.answer({})


def commit(self, kind, name, _revision):
    lines = [json.loads(line) for line in self.read().splitlines() if line.strip()]
    if self.token() != TOKEN:
        return self.refuse(401)
    files = {}
    for line in lines:
        value = line["value"]
        if line["key"] == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        elif line["key"] == "lfsFile":
            files[value["path"]] = self.hub.objects[value["oid"]]
    sha = self.hub.commit(kind, name, files)
    url = f"{self.hub.address}/{name}/commit/{sha}"
    return self.answer({"success": True, "commitOid": sha, "commitUrl": url, "hookOutput": ""})


def info(self, kind, name, *_):
    repo = self.hub.repos.get((kind, name))
    if repo is None or (repo["private"] and self.token() != TOKEN):
        return self.refuse(404 if self.token() else 401, "RepoNotFound")
    siblings = [
        {"rfilename": path, "size": len(data), "blobId": hashlib.sha1(data).hexdigest()}
        for path, data in repo["files"].items()
    ]
    value = {"id": name, "modelId": name, "sha": repo["sha"], "siblings": siblings, "private": repo["private"]}
    return self.answer(value | {"tags": [], "downloads": 0, "likes": 0})


def resolve(self, prefix, name, sha, path):
    repo = self.hub.repos.get(("space" if prefix else "model", name))
    if repo is None or (repo["private"] and self.token() != TOKEN):
        return self.refuse(404 if self.token() else 401, "RepoNotFound")
    if path not in repo["files"]:
        return self.refuse(404, "EntryNotFound")
    data = repo["files"][path]
    headers = [
        ("X-Repo-Commit", repo["sha"]),
        ("ETag", f'"{hashlib.sha256(data).hexdigest()}"'),
        ("Accept-Ranges", "bytes"),
    ]
    start = 0
    if found := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or ""):
        start = int(found.group(1))
        headers.append(("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}"))
    if self.command == "GET" and path.endswith(".safetensors"):
        self.stall()
    if self.command == "GET" and self.hub.break_after and len(data) - start > self.hub.break_after:
        self.send_response(206 if start else 200)
        for key, text in [("Content-Length", str(len(data) - start)), *headers]:
            self.send_header(key, text)
        self.end_headers()
        self.wfile.write(data[start : start + self.hub.break_after])
        self.wfile.flush()
        return self.cut()
    return self.answer(status=206 if start else 200, headers=headers, body=data[start:])


KIND = r"/api/(model|space)s/([\w.-]+/[\w.-]+)"
ROWS = [
    ("GET", r"/api/whoami-v2", whoami),
    ("POST", r"/api/repos/create", create),
    ("POST", r"/api/validate-yaml", lambda self: (self.read(), self.answer({"errors": [], "warnings": []}))),
    ("POST", KIND + r"/preupload/([\w.-]+)", preupload),
    ("POST", KIND + r"/commit/([\w.-]+)", commit),
    ("GET", KIND, info),
    ("GET", KIND + r"/revision/([\w.-]+)", info),
    ("POST", rf"/{REPO}\.git/info/lfs/objects/batch", batch),
    ("PUT", r"/upload/([0-9a-f]{64})", upload),
    ("HEAD", rf"/{REPO}/resolve/([\w.-]+)/(.+)", resolve),
    ("GET", rf"/{REPO}/resolve/([\w.-]+)/(.+)", resolve),
]


@contextlib.contextmanager
def hub():
    """A Hub on a free port of this machine."""
    held = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": held}))
    held.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
