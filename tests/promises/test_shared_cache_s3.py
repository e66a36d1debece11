"""docs/several-machines.md with an S3 bucket, over a connection that breaks."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.helpers.pages import blocks
from tests.promises.test_shared_cache import METHOD, PAGE, gpu, lines, ran, shell

__all__ = ["gpu"]  # the fixture

TRAINING = {"teacher", "further_teacher", "fold_teacher", "dump", "dump_text", "distill"}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Line:
    """A connection to the server at `target` that breaks after so many bytes, all in all; None: never."""

    def __init__(self, target: int) -> None:
        self._target, self.left = target, float("inf")
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._socket.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    def _copy(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(1 << 14):
                self.left -= len(data)
                if self.left < 0:
                    break
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # closing alone wakes nobody who waits at it
            end.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """An S3 server on this machine with the bucket `cache`, behind a line that can break."""
    import boto3

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    port = free_port()
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}").create_bucket(Bucket="cache")
        line = Line(port)
        yield line
        line.close()
    finally:
        server.kill()
        server.wait()


def attempt(command: str, place: Path) -> bool:
    """Whether a command went well."""
    try:
        shell(command, place)
    except AssertionError:
        return False
    return True


@pytest.mark.slow
def test_a_connection_that_breaks_loses_nothing(gpu: Path, tmp_path: Path, bucket: Line) -> None:
    laptop = tmp_path / "laptop"
    shell(f"git clone --quiet --branch main {tmp_path / 'origin.git'} {laptop}", tmp_path)
    shell("dvc remote add --default shared s3://cache/of-project", gpu)
    shell(f"dvc remote modify shared endpointurl http://127.0.0.1:{bucket.port}", gpu)
    shell("git commit --quiet --all --message remote", gpu)
    shell("dvc repro", gpu)

    bucket.left = 200_000
    assert not attempt("dvc push --run-cache", gpu)
    bucket.left = float("inf")
    _, first, _, second = (lines(block) for block in blocks(PAGE, "console")[:4])
    shell("dvc push --run-cache", gpu)
    for command in first[2:]:
        shell(command, gpu)

    shell(second[0], laptop)
    bucket.left = 200_000
    assert not attempt("dvc pull", laptop)
    bucket.left = float("inf")
    assert not ran(shell("dvc repro --pull", laptop)) & TRAINING
    name = f"data/students/{METHOD}/1/model.safetensors"
    assert (laptop / name).read_bytes() == (gpu / name).read_bytes()
