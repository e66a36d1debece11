"""A model hub on this machine that takes uploads as the real one does: a commit, large files by LFS."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = 40 * "c"


@dataclass
class FakeHub:
    """What it was sent: tokens, repositories made, and committed files by repository and path."""

    address: str = ""
    tokens: set[str | None] = field(default_factory=set)
    made: list[str] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def answer(self, path: str, body: bytes) -> Any:
        """The answer to a POST, or None for 404."""
        parts = path.partition("?")[0].strip("/").split("/")
        if parts == ["api", "repos", "create"]:
            asked = json.loads(body)
            self.made.append(f"{asked['organization']}/{asked['name']}")
            return {"url": f"{self.address}/{self.made[-1]}", "id": self.made[-1]}
        if parts == ["api", "validate-yaml"]:
            return {"errors": [], "warnings": []}
        if parts[-2:-1] == ["preupload"]:
            return {"files": [self._plan(file["path"]) for file in json.loads(body)["files"]]}
        if parts[-2:] == ["objects", "batch"]:
            objects = json.loads(body)["objects"]
            return {"transfer": "basic", "objects": [self._upload(item) for item in objects]}
        if parts[-2:-1] == ["commit"]:
            return self._commit("/".join(parts[2:-2]), [json.loads(line) for line in body.splitlines()])
        return None

    def _plan(self, path: str) -> dict[str, Any]:
        mode = "lfs" if path.endswith(".safetensors") else "regular"
        return {"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": None}

    def _upload(self, item: dict[str, Any]) -> dict[str, Any]:
        return item | {"actions": {"upload": {"href": f"{self.address}/lfs/{item['oid']}"}}}

    def _commit(self, repository: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
        files = self.files.setdefault(repository, {})
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.objects[value["oid"]]
        return {"commitOid": COMMIT, "commitUrl": f"{self.address}/{repository}/commit/{COMMIT}"}


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    """Run a hub until the block ends."""
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self._body()
            hub.tokens.add(self.headers.get("Authorization"))
            found = hub.answer(self.path, body)
            content = json.dumps(found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_PUT(self) -> None:
            body = self._body()
            name = self.path.rpartition("/")[2]
            right = hashlib.sha256(body).hexdigest() == name
            if right:
                hub.objects[name] = body
            self.send_response(200 if right else 400)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hub.address = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield hub
        server.shutdown()
