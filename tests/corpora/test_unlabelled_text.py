"""Text without tags is read however it is laid out; what is no such text is refused under its own name."""

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.corpora.settings import Corpus, Files
from pipeline.corpora.tagging import Sentence
from pipeline.corpora.unlabelled_text import fetch_unlabelled, read_unlabelled
from pipeline.errors import UserError

FILES = Files(train="a", dev="b", test="c")
NEWSDESK = Corpus(files=FILES, word=0, tag=3)
GERMEVAL = Corpus(files=FILES, word=1, tag=2, separator="\t", comment="#")
JSONL = Corpus(files=FILES, format="jsonl", word="forms")
COLUMNS = b"-DOCSTART-\n\nThe\ncat\n\nIt\nran\n.\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("content", "sentences"),
    [
        (b"The cat sat .\n\nIt ran .\n", [("The", "cat", "sat", "."), ("It", "ran", ".")]),
        (b"Same length here\nas in this\n", [("Same", "length", "here"), ("as", "in", "this")]),
        (b"Hello world\n\nGood day\n", [("Hello", "world"), ("Good", "day")]),
        (b"One\n\nTwo\n\nThree\n", [("One",), ("Two",), ("Three",)]),
        (b"The\ncat\n\nIt\nran\n.\n", [("The", "cat"), ("It", "ran", ".")]),
        (b"The DT\ncat NN\n\nIt PRP\n", [("The", "cat"), ("It",)]),
        (COLUMNS, [("The", "cat"), ("It", "ran", ".")]),
        (b"-DOCSTART-\n\nThe\n\nIt\n", [("The",), ("It",)]),
        (b"Anna left.\nRome, now!\n", [("Anna", "left", "."), ("Rome", ",", "now", "!")]),
        (
            b"Mr. X , of U.S. fame .\nIt fell 5% .",
            [("Mr.", "X", ",", "of", "U.S.", "fame", "."), ("It", "fell", "5%", ".")],
        ),
        (b"\xef\xbb\xbfOld Rome .\r\n\r\nfell .\r\n", [("Old", "Rome", "."), ("fell", ".")]),
    ],
)
def test_every_layout(
    tmp_path: Path, content: bytes, sentences: list[tuple[str, ...]], pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "text"
    path.write_bytes(pack(content))
    assert read_unlabelled(path, "name", NEWSDESK).sentences == [Sentence(words) for words in sentences]


def test_raw_text_is_cut_as_it_is_when_tagged(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("Anna Hope's team, of Farnham, left the U.S. on 22/11/96.\nWhy? Nobody asked.\n")
    first, second = (sentence.words for sentence in read_unlabelled(path, "name", NEWSDESK).sentences)
    assert first[:6] == ("Anna", "Hope", "'s", "team", ",", "of")
    assert first[-3:] == ("on", "22/11/96", ".")
    assert second == ("Why", "?", "Nobody", "asked", ".")


NUMBERED = "1\tIda\tO\n2\tsah\tO\n\n1\tUlm\tO\n2\tschlief\tO\n"
WITH_COMMENTS = (
    "#\thttp://a.org\t[2001]\n1\tIda\tO\tO\n2\tsah\tO\tO\n\n#\thttp://b.org\t[2002]\n1\tUlm\tO\tO\n"
)
CONLLU = (
    "# sent_id = 1\n# text = Ida left\n1\tIda\tida\n2\tleft\tleave\n\n"
    "# sent_id = 2\n# text = Ulm\n1\tUlm\tulm\n\n"
)
PARAGRAPHS = "Ida left Ulm on Friday. She went home, to sleep.\n\nRain fell on the town. The wind blew.\n"


@pytest.mark.parametrize(
    ("text", "corpus", "words", "said"),
    [
        (NUMBERED, GERMEVAL, "Ida sah/Ulm schlief", "columns, words in column 1; the first: Ida | sah"),
        (WITH_COMMENTS, GERMEVAL, "Ida sah/Ulm", "columns, words in column 1; the first: Ida | sah"),
        (CONLLU, GERMEVAL, "Ida left/Ulm", "columns, words in column 1; the first: Ida | left"),
        ("Ida\nsah\n\nUlm\nschlief\n", GERMEVAL, "Ida sah/Ulm schlief", "columns, words in column 0"),
        (
            "Ida sah .\nUlm , schlief .\n",
            GERMEVAL,
            "Ida sah ./Ulm , schlief .",
            "a sentence a line, words between",
        ),
        ("One line,\nanother line,\n\nA third,\na fourth.\n", GERMEVAL, None, "raw text, a sentence a line"),
        (PARAGRAPHS, GERMEVAL, None, "raw text, a sentence a line; the first: Ida | left | Ulm"),
        (
            '{"forms": ["Ida", "left"]}\n{"forms": ["Ulm"]}\n',
            JSONL,
            "Ida left/Ulm",
            "JSON Lines, words in 'forms'",
        ),
        ("Ida left .\n", JSONL, "Ida left .", "a sentence a line, words between spaces"),
        ("Ulm\u200e ist\n", NEWSDESK, "Ulm\u200e ist", "words between spaces; the first: Ulm? | ist"),
    ],
)
def test_it_is_read_as_the_corpus_is_and_says_how(
    tmp_path: Path, text: str, corpus: Corpus, words: str | None, said: str
) -> None:
    (tmp_path / "text").write_text(text)
    found = read_unlabelled(tmp_path / "text", "name", corpus)
    if words is not None:
        assert [" ".join(sentence.words) for sentence in found.sentences] == words.split("/")
    assert said in str(found)
    assert f"{len(found.sentences)} sentence" in str(found)
    assert "\n" not in str(found)


def test_every_character_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "text").write_text("张伟昨天去了北京市。\n他在那里见到了李娜,然后回家。\n")
    characters = NEWSDESK.model_copy(update={"words": "characters"})
    found = read_unlabelled(tmp_path / "text", "name", characters)
    assert found.sentences[0].words == tuple("张伟昨天去了北京市。")
    assert "every character a word" in str(found)
    assert not caplog.records
    read_unlabelled(tmp_path / "text", "name", NEWSDESK)
    (record,) = caplog.records
    assert record.getMessage().startswith("name:1: clauses of a script without spaces are read as words")


@pytest.mark.parametrize(
    ("text", "corpus", "says"),
    [
        (NUMBERED, NEWSDESK, "name:1: column 0 numbers the words; .*word: 1"),
        (WITH_COMMENTS, NEWSDESK, 'name:2: has 4 columns, but line 1 has 3; .*comment: "#"'),
        (CONLLU, NEWSDESK, "name:2: has 5 columns, but line 1 has 4"),
        (
            "Ida\tO\nsah\tO\n\nUlm\tO\n",
            NEWSDESK.model_copy(update={"word": 2}),
            "name:1: has 2 columns, so 2",
        ),
        ('{"tokens":["Anna","left"]}\n', NEWSDESK, "name:1: is a JSON object and no sentence"),
        ('{"tokens":["Anna","left"]}\n', JSONL, "name:1: is no object with a list of words in 'forms'"),
        ('{"forms":["Anna"]}\n{"forms":"Anna"}\n', JSONL, "name:2: is no object with a list of words"),
        ('{"forms":["Anna"]}\n{"forms":[""]}\n', JSONL, "name:2: is no object with a list of words"),
        ("\ufeffIda".encode("utf-16").decode("latin-1"), NEWSDESK, "name:1: "),
    ],
)
def test_what_the_corpus_does_not_describe_is_refused(
    tmp_path: Path, text: str, corpus: Corpus, says: str
) -> None:
    (tmp_path / "text").write_text(text)
    with pytest.raises(UserError, match=rf"^{says}"):
        read_unlabelled(tmp_path / "text", "name", corpus)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "text: holds no sentence; give text with one sentence a line"),
        (b"\n \n\n", "text: holds no sentence"),
        (b"good line\n" * 2000 + b"bad \xff\n", r"text:2001: byte 20005 of the file \(0xff\) is not utf-8"),
        (b"a\0b\n", "text:1: holds a NUL character"),
        (gzip.compress(b"some words\n" * 99, mtime=0)[:-9], "text: damaged gzip data|text:.*damaged"),
    ],
)
def test_a_bad_text_is_one_line_with_its_own_name(tmp_path: Path, content: bytes, says: str) -> None:
    source = tmp_path / "text"
    source.write_bytes(content)
    with pytest.raises(UserError, match=rf"^{tmp_path}/{says}") as caught:
        fetch_unlabelled(str(source), NEWSDESK)
    assert "\n" not in str(caught.value)


def test_a_missing_text(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=rf"^{tmp_path}/none\.txt: there is no such file; .* CORPUS_MIRROR=DIR"
    ):
        fetch_unlabelled(f"{tmp_path}/none.txt", NEWSDESK)


def test_the_mirror_is_looked_in_for_an_address(tmp_path: Path) -> None:
    (tmp_path / "news.txt.gz").write_bytes(gzip.compress(b"Old Rome fell .\n"))
    found = fetch_unlabelled("https://127.0.0.1:9/news.txt", NEWSDESK, mirror=tmp_path)
    assert found.sentences == [Sentence(("Old", "Rome", "fell", "."))]


def test_a_text_that_is_not_the_announced_one_is_refused(tmp_path: Path) -> None:
    content = b"Old Rome fell .\n"
    (tmp_path / "text.gz").write_bytes(gzip.compress(content))
    right = f"sha256:{hashlib.sha256(content).hexdigest()}"  # of the unpacked bytes
    found = fetch_unlabelled(str(tmp_path / "text.gz"), NEWSDESK, checksum=right)
    assert found.sentences == [Sentence(("Old", "Rome", "fell", "."))]
    with pytest.raises(UserError, match=r"text\.gz: .*sha256") as caught:
        fetch_unlabelled(str(tmp_path / "text.gz"), NEWSDESK, checksum="sha256:" + "0" * 64)
    assert "\n" not in str(caught.value)
