"""The page without a browser: raw HTTP to any handler, private ones as well, as an attacker would call it."""

import json
import re
import secrets
import urllib.error
import urllib.request
import uuid

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def fetch(url, data=None, headers=None, method=None, timeout=60):
    """(status, body) of a request; a refusal is an answer too."""
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with OPENER.open(request, timeout=timeout) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class Raw:
    """One client of the page at an address, with a visitor's id of its own."""

    def __init__(self, address, config=None):
        self.address = address
        self.config = config or json.loads(fetch(f"{address}/config")[1])
        self.session = secrets.token_hex(6)
        self.visitor = secrets.token_hex(16)
        self.functions = {}  # name of the handler -> ids, in order
        for row in self.config["dependencies"]:
            name = re.sub(r"_\d+$", "", str(row["api_name"]))
            self.functions.setdefault(name, []).append(row["id"])

    def clicked(self, element):
        """The id of the handler behind the button with this elem_id."""
        (place,) = [row["id"] for row in self.config["components"] if row["props"].get("elem_id") == element]
        return next(row["id"] for row in self.config["dependencies"] if [place, "click"] in row["targets"])

    def defaults(self, function, *first):
        """What the page would send to a handler after the visitor: these values, then its components' own."""
        place = self.named(function) if isinstance(function, str) else function
        row = next(row for row in self.config["dependencies"] if row["id"] == place)
        values = {one["id"]: None if one["type"] == "state" else one["props"].get("value") for one in self.components}
        return [*first, *(values[id_] for id_ in row["inputs"][1 + len(first) :])]

    @property
    def components(self):
        return self.config["components"]

    def named(self, name, which=0):
        return self.functions[name][which]

    def join(self, function, *data, event=None):
        """(status, body) of the request that queues a call. One session, since gradio remembers its choices."""
        body = {"data": list(data), "fn_index": function, "session_hash": self.session, "event_data": event}
        headers = {"Content-Type": "application/json"}
        return fetch(f"{self.address}/gradio_api/queue/join", json.dumps(body).encode(), headers)

    def call(self, function, *data, event=None, timeout=60):
        """(ok, what the handler returned or said) of the handler of this name or id."""
        place = self.named(function) if isinstance(function, str) else function
        status, answer = self.join(place, *data, event=event)
        if status != 200:
            return False, answer.decode(errors="replace")
        url = f"{self.address}/gradio_api/queue/data?session_hash={self.session}"
        with OPENER.open(url, timeout=timeout) as stream:
            for line in stream:
                if line.startswith(b"data:"):
                    message = json.loads(line[5:])
                    if message["msg"] == "process_completed":
                        return message["success"], json.dumps(message["output"])
                    if message["msg"] == "unexpected_error":
                        return False, json.dumps(message)
        return False, "the stream ended"

    def mine(self, function, *data, **more):
        """As this visitor."""
        return self.call(function, self.visitor, *data, **more)

    def upload(self, name, content, timeout=60):
        """(status, what the upload said: a list of gradio's file values, or a refusal)."""
        status, body = self.upload_many([(name, content)], timeout)
        return status, file_value(json.loads(body)[0], name) if status == 200 else body.decode(errors="replace")

    def upload_many(self, files, timeout=60):
        boundary = uuid.uuid4().hex
        quoted = [(name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A"), data) for name, data in files]
        parts = b"".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
            f"Content-Type: application/octet-stream\r\n\r\n".encode()
            + data
            + b"\r\n"
            for name, data in quoted
        )
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        body = parts + f"--{boundary}--\r\n".encode()
        return fetch(f"{self.address}/gradio_api/upload", body, headers, timeout=timeout)


def file_value(path, name="file"):
    return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
