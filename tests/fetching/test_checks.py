"""What is fetched in place of the file is refused by its first bytes, and nothing else is."""

import pytest

from pipeline.errors import UserError
from pipeline.fetching.checks import (
    LARGEST,
    check_head,
    check_size,
    check_text_head,
    is_gzip,
    page_refusal,
)
from tests.helpers.sample_sources import LFS, refusal

PAGES = [
    b"<!DOCTYPE html>\n<title>Sign in",
    b"<!doctype\thtml>",
    b"\xef\xbb\xbf\n <!-- saved\nfrom --> <!-- twice --> <HTML lang=en>",
    b"<html>",
    b"  <head>",
    b"<body class='x'>",
    b"<script>",
]
LIKE = [b"", b"<s> O\n", b"<p O\n", b"<htmlish O\n", b"PK O\n", b"version O\n", b"<!-- html", b"O <html>"]
PACKED = {
    b"\x1f\x8b\x08": "is gzip data inside gzip data; unpack it once with gunzip and give that",
    b"\x28\xb5\x2f\xfd\x00": "is packed more than once; unpack it with unzstd and give that",
    b"\x50\x2a\x4d\x18\x00": "is packed more than once; unpack it with unzstd and give that",
    b"\x5f\x2a\x4d\x18": "is packed more than once; unpack it with unzstd and give that",
    b"PK\x03\x04": "is a zip archive; unzip it and give the file inside",
}


@pytest.mark.parametrize("check", [check_head, check_text_head])
@pytest.mark.parametrize("head", PAGES)
def test_a_web_page_is_refused(check, head):
    assert refusal(lambda: check("here", head)) == str(page_refusal("here"))


@pytest.mark.parametrize("check", [check_head, check_text_head])
def test_a_pointer_of_git_lfs_is_refused(check):
    message = "here: is a Git LFS pointer, not the file; run `git lfs pull` in its folder"
    assert refusal(lambda: check("here", LFS)) == message


@pytest.mark.parametrize("check", [check_head, check_text_head])
@pytest.mark.parametrize("head", LIKE)
def test_text_that_looks_a_little_like_something_else_is_taken(check, head):
    check("here", head)


@pytest.mark.parametrize(("head", "says"), PACKED.items())
def test_packed_data_are_no_text_but_may_be_a_file(head, says):
    check_head("here", head)
    assert refusal(lambda: check_text_head("here", head)) == f"here: {says}"


def test_gzip_is_known_by_two_bytes():
    assert is_gzip(b"\x1f\x8b")
    assert not is_gzip(b"\x1f")
    assert not is_gzip(b" \x1f\x8b")


def test_as_many_bytes_as_the_most_are_taken_and_no_more():
    check_size("here", 0)
    check_size("here", LARGEST)
    with pytest.raises(UserError) as caught:
        check_size("here", LARGEST + 1)
    assert str(caught.value) == "here: has more than 64 GiB, the most that is fetched; give a smaller one"
