"""Things to fetch: a tiny encoder, a wheel around it, and a web server on this machine; and their refusal."""

import json
import threading
import time
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from pipeline.errors import UserError

WEIGHTS = save({"embedding": np.arange(600, dtype=np.float32).reshape(30, 20)})
ENCODER = {
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": WEIGHTS,
    "tokenizer_config.json": b"{}",
    "vocab.txt": b"[UNK]\nword\n",
}
EXTRA = {"README.md": b"read me", "modeling_evil.py": b"raise SystemExit", "pytorch_model.bin": b"pickle"}
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


def refusal(call: Callable[[], None]) -> str:
    """The message of the refusal, which is one line."""
    with pytest.raises(UserError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def write_folder(path: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def read_folder(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def write_wheel(folder: Path, files: Mapping[str, bytes], name: str = "tiny_encoder") -> Path:
    """A wheel of version 1.0 that pip accepts and whose package stops the interpreter when imported."""
    info = f"{name}-1.0.dist-info"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(f"{name}/__init__.py", "raise SystemExit('imported')")
        for file, content in files.items():
            wheel.writestr(f"{name}/{file}", content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


def sharded() -> dict[str, bytes]:
    """The encoder with its weights in two shards."""
    shards = {
        f"model-0000{number}-of-00002.safetensors": save({name: np.ones(3, dtype=np.float32)})
        for number, name in ((1, "a"), (2, "b"))
    }
    index = {"weight_map": dict(zip("ab", shards, strict=True))}
    rest = {name: content for name, content in ENCODER.items() if name != "model.safetensors"}
    return {**rest, **shards, "model.safetensors.index.json": json.dumps(index).encode()}


@contextmanager
def serve(
    pages: Mapping[str, bytes],
    redirects: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    slow: Collection[str] = (),
) -> Iterator[str]:
    """Serve pages by path on this machine and yield the address; /short stops halfway, the rest is 404.

    Pages whose paths are `slow` come a byte each tenth of a second.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if target := (redirects or {}).get(self.path):
                self.send_response(302)
                self.send_header("Location", target)
                self.end_headers()
            elif (page := pages.get(self.path)) is not None:
                self.send_response(200)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(page) * (2 if self.path == "/short" else 1)))
                self.end_headers()
                if self.command == "GET":
                    step = 1 if self.path in slow else max(len(page), 1)
                    with suppress(OSError):  # the client has gone
                        for place in range(0, len(page), step):
                            self.wfile.write(page[place : place + step])
                            time.sleep(0.1 if self.path in slow else 0)
            else:
                self.send_error(404)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
