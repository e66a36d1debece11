"""A comment that looks like a word with its tag is told: it may be a hashtag."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.corpora.conll import read_conll
from pipeline.corpora.schemes import FileScheme


def test_a_comment_inside_a_sentence_that_looks_like_a_word_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "tweets"
    lines = ["# B-X", "see O", "# so it is", "#rome B-LOC", "now O", "#x O", "", "#y O", "z O", "# id", ""]
    path.write_text("\n".join(lines))
    found = list(read_conll(path, comment="#"))
    assert [sentence.words for sentence in found] == [("see", "now"), ("z",)]
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{path}:1: looks like a word with its tag, and is left out")
    assert "the first of 4 such lines" in record.getMessage()


HASHTAGS: list[tuple[str, FileScheme, str]] = [
    ("see O\nit O\n\n#Brexit B-MISC\nnow O\n", "iob2", "4"),
    ("-DOCSTART-\n\n#Brexit B-MISC\nnow O\n", "iob2", "3"),
    ("#Brexit B-MISC\n\n\nnow O\n", "iob2", "1"),
    ("see VERB\n\n# NOUN\nUlm NOUN\n", "plain", "3"),
    ("see VERB\n\n#Brexit HASHTAG\nUlm NOUN\n", "plain", "3"),
    ("see O\n\n#Brexit EVENT\nfair EVENT\n", "io", "3"),
]


@pytest.mark.parametrize(("content", "scheme", "line"), HASHTAGS)
def test_a_hashtag_at_the_start_of_a_sentence_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str, scheme: FileScheme, line: str
) -> None:
    path = tmp_path / "tweets"
    path.write_text(content)
    list(read_conll(path, comment="#", scheme=scheme))
    (message,) = caplog.messages
    assert message.startswith(f"{path}:{line}: looks like a word with its tag, and is left out")


@pytest.mark.parametrize("options", [{"separator": "\t"}, {}])
def test_comments_of_conll_u_are_told_of_no_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, options: dict[str, Any]
) -> None:
    """Also where one has as many words as a row has columns."""
    sentence = "# newdoc\n# sent_id = 1\n# text = see it\n1\tsee\tsee\tVERB\t_\n2\tit\tit\tPRON\t_\n\n"
    (tmp_path / "ud").write_text(2 * sentence)
    assert list(read_conll(tmp_path / "ud", word=1, tag=3, scheme="plain", comment="#", **options))
    (tmp_path / "columns").write_text("# doc1\nsee VERB\n\n# doc2\nnow ADV\n")
    assert list(read_conll(tmp_path / "columns", scheme="plain", comment="#"))
    assert not caplog.messages
