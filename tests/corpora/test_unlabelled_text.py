"""Unlabelled text is read however it is laid out; what is no such text is refused under its own name."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpora.settings import Corpus, Files, Unlabelled
from pipeline.corpora.unlabelled_text import read_unlabelled
from pipeline.errors import UserError

FILES = Files(train="a", dev="b", test="c")
NEWSDESK = Corpus(files=FILES, word=0, tag=3)
GERMEVAL = Corpus(files=FILES, word=1, tag=2, separator="\t", comment="#")
JSONL = Corpus(files=FILES, format="jsonl", word="forms")
TEXT, CONLL = Unlabelled(), Unlabelled(files="x", format="conll")
RECORDS = Unlabelled(files="x", format="jsonl")
COLUMNS = b"-DOCSTART-\n\nThe\ncat\n\nIt\nran\n.\n"


def read(path: Path, settings: Unlabelled = TEXT, corpus: Corpus = NEWSDESK) -> list[tuple[str, ...]]:
    return [tuple(words) for words in read_unlabelled(path, "name", settings, corpus).sentences]


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
        ("Old Rome .\n\u3000\n\xa0\nIt fell .\n".encode(), [("Old", "Rome", "."), ("It", "fell", ".")]),
        (b"\xef\xbb\xbfOld Rome .\r\n\r\nfell .\r\n", [("Old", "Rome", "."), ("fell", ".")]),
    ],
)
def test_every_layout(
    tmp_path: Path, content: bytes, sentences: list[tuple[str, ...]], pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "text"
    path.write_bytes(pack(content))
    columns = content.startswith((b"-DOCSTART-", b"The\n", b"The DT"))
    assert read(path, CONLL if columns else TEXT) == sentences
    if columns:
        with pytest.raises(UserError, match=r"name: looks like a word per line.*unlabelled.format: conll"):
            read(path)


def test_raw_text_is_cut_as_it_is_when_tagged(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("Anna Hope's team, of Farnham, left the U.S. on 22/11/96.\nWhy? Nobody asked.\n")
    first, second = read(path)
    assert first[:6] == ("Anna", "Hope", "'s", "team", ",", "of")
    assert first[-3:] == ("on", "22/11/96", ".")
    assert second == ("Why", "?", "Nobody", "asked", ".")


RAW_TEXTS = {
    "hindi": "राम घर गया।\nवह सो गया।\n",
    "urdu": "وہ گھر گیا۔\n",
    "arabic": "أين ذهب الولد؟\n",
    "armenian": "Նա գնաց տուն։\n",
    "ethiopic": "እሱ ወደ ቤት ሄደ።\n",
    "ellipsis": "Ida left Ulm…\n",
    "spanish": "¿Dónde está Ida\n",
    "quotes": "Ida said “Go home\nBen said „nein\n",
    "brackets": "Ida (a nurse) left\n",
    "quote at the end": 'Ida said "go"\n',
    "french": "Il dit : « Va à Ulm », puis il part.\nIda, sa soeur, reste.\n",
}
SPACED_TEXTS = {
    "hindi": "राम घर गया ।\nडॉ॰ राव सो गया ।\n",
    "urdu": "وہ گھر گیا ۔\n",
    "arabic": "أين ذهب الولد ؟\n",
    "armenian": "Նա գնաց տուն ։\n",
    "ptb": "Mr. Vinken 's dogs' pre- and post-war U.S. firms , the company said , do n't pay 5% -LRB- 1\n",
    "ptb quotes": "`` It 's the '80s , '' said J.P. `` I do n't '' . . .\n",
    "brackets": "The [UNK] group ( of 5 ) has (c) and word(s) for f(x) here\n",
    "french": "l' eau d' Ulm coule et/ou dort\n",
    "tweets": ":) @ida_ #ulm w/ me ;-) =D\n",
    "enumerations": "1) Ida left , and Ben , too .\n2) It fell .\n",
    "tibetan": "བོད་ ཡིག་ གི་\n",
    "dashes": "Ida – a nurse – left word- and left –so\n",
}


@pytest.mark.parametrize("name", RAW_TEXTS)
def test_marks_of_any_script_at_words_make_raw_text(tmp_path: Path, name: str) -> None:
    (tmp_path / "text").write_text(RAW_TEXTS[name])
    found = read_unlabelled(tmp_path / "text", "name", TEXT, NEWSDESK)
    assert found.read_as == "raw text, a sentence a line"


@pytest.mark.parametrize("name", SPACED_TEXTS)
def test_marks_alone_and_words_of_corpora_are_between_spaces(tmp_path: Path, name: str) -> None:
    (tmp_path / "text").write_text(SPACED_TEXTS[name])
    found = read_unlabelled(tmp_path / "text", "name", TEXT, NEWSDESK)
    assert found.read_as == "a sentence a line, words between spaces"


def test_a_danda_is_a_word_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "text").write_text(RAW_TEXTS["hindi"])
    assert read(tmp_path / "text")[0] == ("राम", "घर", "गया", "।")


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
    ("text", "settings", "corpus", "words", "said"),
    [
        (NUMBERED, CONLL, GERMEVAL, "Ida sah/Ulm schlief", "columns, words in column 1"),
        (WITH_COMMENTS, CONLL, GERMEVAL, "Ida sah/Ulm", "columns, words in column 1"),
        (CONLLU, CONLL, GERMEVAL, "Ida left/Ulm", "columns, words in column 1"),
        ("Ida\nsah\n\nUlm\nschlief\n", CONLL, GERMEVAL, "Ida sah/Ulm schlief", "columns, words in column 0"),
        (
            "Ida sah .\nUlm , schlief .\n",
            TEXT,
            GERMEVAL,
            "Ida sah ./Ulm , schlief .",
            "a sentence a line, words between",
        ),
        (
            "One line,\nanother line,\n\nA third,\na fourth.\n",
            TEXT,
            GERMEVAL,
            None,
            "raw text, a sentence a line",
        ),
        (PARAGRAPHS, TEXT, GERMEVAL, None, "raw text, a sentence a line"),
        (
            '{"forms": ["Ida", "left"]}\n{"forms": ["Ulm"]}\n',
            RECORDS,
            JSONL,
            "Ida left/Ulm",
            "words in 'forms'",
        ),
        ("Ida left .\n", TEXT, JSONL, "Ida left .", "a sentence a line, words between spaces"),
        ("Ulm\u200e ist\n", TEXT, NEWSDESK, "Ulm\u200e ist", "words between spaces"),
    ],
)
def test_it_is_read_as_the_corpus_is_and_says_how(
    tmp_path: Path, text: str, settings: Unlabelled, corpus: Corpus, words: str | None, said: str
) -> None:
    (tmp_path / "text").write_text(text)
    found = read_unlabelled(tmp_path / "text", "name", settings, corpus)
    sentences = [" ".join(sentence) for sentence in found.sentences]
    assert sentences == words.split("/") if words else sentences
    assert said in found.read_as


def test_every_character_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "text").write_text("张伟昨天去了北京市。\n他在那里见到了李娜,然后回家。\n")
    characters = NEWSDESK.model_copy(update={"words": "characters"})
    assert read(tmp_path / "text", corpus=characters)[0] == tuple("张伟昨天去了北京市。")
    read_as = read_unlabelled(tmp_path / "text", "name", TEXT, characters).read_as
    assert read_as == "a sentence a line, every character a word"
    assert not caplog.records
    read(tmp_path / "text")
    (record,) = caplog.records
    assert record.getMessage().startswith("name:1: clauses of a script without spaces are read as words")


CLAUSES = ["安娜和她的朋友们离开了巴黎。", "她去了伦敦。", "", "今天下雨了。", "明天会晴。"]


@pytest.mark.parametrize("settings", [RECORDS, CONLL])
def test_clauses_read_as_words_are_told_in_every_format(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, settings: Unlabelled
) -> None:
    lines = [json.dumps({"forms": clause}) for clause in CLAUSES] if settings is RECORDS else CLAUSES
    (tmp_path / "text").write_text("\n".join(lines))
    found = read(tmp_path / "text", settings, JSONL if settings is RECORDS else NEWSDESK)
    assert "".join(word for words in found for word in words) == "".join(CLAUSES)
    (record,) = caplog.records
    assert record.getMessage().startswith("name: clauses of a script without spaces are read as words")


@pytest.mark.parametrize("words", ["conll", "characters"])
def test_a_blank_line_between_clauses_makes_no_columns(tmp_path: Path, words: str) -> None:
    (tmp_path / "text").write_text("\n".join(CLAUSES))
    found = read(tmp_path / "text", corpus=NEWSDESK.model_copy(update={"words": words}))
    assert ["".join(sentence) for sentence in found] == [*filter(None, CLAUSES)]
    (tmp_path / "rows").write_text("\n\n".join("\n".join(clause) for clause in CLAUSES if clause))
    with pytest.raises(UserError, match="name: looks like a word per line in columns"):
        read(tmp_path / "rows", corpus=NEWSDESK.model_copy(update={"words": words}))


@pytest.mark.parametrize(
    ("text", "settings", "corpus", "says"),
    [
        (NUMBERED, CONLL, NEWSDESK, "name:1: column 0 holds word numbers; .*word: 1"),
        (NUMBERED, TEXT, GERMEVAL, "name: looks like a word per line in columns; set unlabelled.format"),
        (WITH_COMMENTS, CONLL, NEWSDESK, 'name:2: has 4 columns, but line 1 has 3; .*comment: "#"'),
        (CONLLU, CONLL, NEWSDESK, "name:2: has 5 columns, but line 1 has 4"),
        (
            "Ida\tO\nsah\tO\n\nUlm\tO\n",
            Unlabelled(files="x", format="conll", word=2),
            NEWSDESK,
            "name:1: has 2 col",
        ),
        ('{"tokens":["Anna"]}\n', TEXT, NEWSDESK, "name: begins with a JSON object; set unlabelled.format"),
        ('{"tokens":["Anna"]}\n', CONLL, NEWSDESK, "name: begins with a JSON object; set unlabelled.format"),
        (
            '["Anna left."]\n',
            TEXT,
            NEWSDESK,
            "name: is a JSON array, .* jq -r '.\\[\\]', and set unlabelled.format",
        ),
        (
            '{\n"forms": ["Anna"]\n}\n',
            TEXT,
            NEWSDESK,
            "name: is a JSON object, .* jq -c ., and set unlabelled",
        ),
        (
            '{\n"forms": ["Anna"]\n}\n',
            RECORDS,
            JSONL,
            "name: is a JSON object, .* jq -c ., and set unlabelled",
        ),
        (
            '[{"forms": ["Anna"]}]\n',
            RECORDS,
            JSONL,
            "name: is a JSON array of objects, .* jq -c '.\\[\\]', and",
        ),
        ("PAR1\x15", TEXT, NEWSDESK, "name:1: is a Parquet file; set unlabelled.format: dataset"),
        ('{"tokens":["Anna","left"]}\n', RECORDS, JSONL, "name:1: is not an object with 'forms'; correct"),
        ('{"forms":["Anna"]}\n{"forms":7}\n', RECORDS, JSONL, "name:2: 'forms' is neither text nor a list"),
        ('{"forms":["\\ud800"]}\n', RECORDS, JSONL, "name:1: 'forms' contains a lone surrogate"),
        ("Ida left .\n", RECORDS, JSONL, "name:1: is not an object with 'forms'"),
        ("\ufeffIda".encode("utf-16").decode("latin-1"), TEXT, NEWSDESK, "name:1: "),
    ],
)
def test_what_the_settings_do_not_describe_is_refused(
    tmp_path: Path, text: str, settings: Unlabelled, corpus: Corpus, says: str
) -> None:
    (tmp_path / "text").write_text(text)
    with pytest.raises(UserError, match=rf"^{says}"):
        read(tmp_path / "text", settings, corpus)


RAW = "Anna left Ulm.\nRain, then sun!"
CUT = [("Anna", "left", "Ulm", "."), ("Rain", ",", "then", "sun", "!")]


@pytest.mark.parametrize("form", ["jsonl", "dataset"])
@pytest.mark.parametrize(
    ("values", "sentences"),
    [
        ([RAW], CUT),
        ([*RAW.split("\n"), "", None], CUT),
        (["Ulm", *RAW.split("\n")], [("Ulm",), *CUT]),
        (["Anna left ( Ulm ) ."], [("Anna", "left", "(", "Ulm", ")", ".")]),
        ([["Anna", "left"], [], ["It"]], [("Anna", "left"), ("It",)]),
    ],
)
def test_a_field_holds_words_or_text(
    tmp_path: Path, form: Any, values: list[Any], sentences: list[tuple[str, ...]]
) -> None:
    path = tmp_path / "text.parquet"
    if form == "jsonl":
        path.write_text("".join(json.dumps({"body": value, "id": 1}) + "\n\n" for value in values))
    else:
        pq.write_table(pa.table({"body": values}), path)
    assert read(path, Unlabelled(files="x", format=form, word="body")) == sentences


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "text.parquet"
    pq.write_table(pa.table({"body": ["a"]}), path)
    with pytest.raises(UserError, match=r"^name: has no column 'tokens' \(but body\); set unlabelled.word"):
        read(path, Unlabelled(files="x", format="dataset"))


def test_a_text_is_read_as_it_is_asked_for(tmp_path: Path) -> None:
    """A line that nobody asked for is not looked at, so that no more than a line is held."""
    (tmp_path / "text").write_bytes(b"good line\n" * 50_000 + b"bad \xff\n")
    sentences = read_unlabelled(tmp_path / "text", "name", TEXT, NEWSDESK).sentences
    assert [next(sentences) for _ in range(3)] == [("good", "line")] * 3
    with pytest.raises(UserError, match=r"^name:50001: byte 500005 of the file \(0xff\) is not utf-8"):
        list(sentences)


def test_a_field_may_have_the_line_ends_of_any_system_and_empty_words(tmp_path: Path) -> None:
    text = "Anna left .\r\n\r\nBen sat , too .\rIda ran .\n"
    expected = [("Anna", "left", "."), ("Ben", "sat", ",", "too", "."), ("Ida", "ran", ".")]
    lines, table = tmp_path / "text.jsonl", tmp_path / "text.parquet"
    lines.write_text(json.dumps({"text": text}) + "\n")
    pq.write_table(pa.table({"text": [text]}), table)
    assert read(lines, Unlabelled(files="x", format="jsonl", word="text")) == expected
    assert read(table, Unlabelled(files="x", format="dataset", word="text")) == expected
    lines.write_text('{"forms":["Anna","","left"]}\n{"forms":[""]}\n')
    assert read(lines, RECORDS, JSONL) == [("Anna", "left")]


def test_one_column_of_words_has_the_separator_of_the_corpus(tmp_path: Path) -> None:
    path = tmp_path / "words"
    path.write_text("New York\nrocks\n\nSan Jose\n")
    assert read(path, CONLL, GERMEVAL) == [("New York", "rocks"), ("San Jose",)]


def test_columns_between_spaces_are_no_words_of_a_corpus_with_tabs(tmp_path: Path) -> None:
    path = tmp_path / "words"
    path.write_text("# text\nAnna B-PER\nleft O\n\nIt O\n")
    says = "name: has 2 columns between spaces, but the corpus has another separator \\('\\\\t'\\)"
    with pytest.raises(UserError, match=says):
        read(path, CONLL, GERMEVAL)
    assert read(path, CONLL, NEWSDESK.model_copy(update={"comment": "#"})) == [("Anna", "left"), ("It",)]


def test_a_column_of_tags_is_not_read_as_words(tmp_path: Path) -> None:
    path = tmp_path / "words"
    path.write_text("Anna\tB-PER\nleft\tO\n\nIt\tO\n")
    with pytest.raises(UserError, match=r"^name: column 1 holds tags, not words \(B-PER, O, …\); set unlab"):
        read(path, CONLL, GERMEVAL)
    assert read(path, CONLL.model_copy(update={"word": 0}), GERMEVAL) == [("Anna", "left"), ("It",)]
    path.write_text("1\tO\n2\tlove\n3\tO\n")
    assert read(path, CONLL, GERMEVAL) == [("O", "love", "O")]
