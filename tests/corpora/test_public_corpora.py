"""Small files in the layouts of public corpora are read with nothing but the entries of docs/corpora.md."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from pipeline.corpora.settings import Corpus
from pipeline.corpora.splits import fetch_corpus, read_splits
from pipeline.corpora.tagging import Sentence
from pipeline.fetching import hub
from tests.helpers.pages import blocks
from tests.helpers.params_cases import TREE, load_from

PAGE = "docs/corpora.md"
SAMPLES = {
    "wnut17": "@paulwalk\tO\nEmpire\tB-location\nState\tI-location\n\t\nGlee\tB-creative-work\n#tv\tO\n",
    "germeval": (
        "#\thttp://de.wikipedia.org/wiki/Ulm\t[2009-10-17]\n1\tSchartau\tB-PER\tO\n2\t#\tO\tO\n"
        "3\tUlmer\tB-LOCderiv\tB-LOC\n\n#\thttp://de.wikipedia.org/wiki/Au\t[2010-01-02]\n1\tAu\tB-LOC\tO\n"
    ),
    "jnlpba": (
        "###MEDLINE:95369245\n\nIL-2\tB-DNA\ngene\tI-DNA\nand\tO\n\n#1\tO\n\n###MEDLINE:95343554\n\nT\tB-cell_type\n"
    ),
    "bc2gm": "alkaline\tB\nphosphatase\tI\nwas\tO\n\nZap\tB\n",
    "conll2002-es": "La B-LOC\nCoruña I-LOC\n, O\n\nEspaña B-LOC\n",
    "conll2002-nl": (
        "-DOCSTART- -DOCSTART- O\nDe Art O\ncafé N B-ORG\n\nHoeveel Pron O\n\n"
        "-DOCSTART- -DOCSTART- O\nHij Pron O\n"
    ),
    "ud-english": (
        "# newdoc id = a\n# text = They don't buy 10 000.\n"
        "1\tThey\tthey\tPRON\tPRP\tCase=Nom\t2\tnsubj\t_\t_\n"
        "2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_\n"
        "2\tdo\tdo\tAUX\tVBP\t_\t0\troot\t_\t_\n"
        "3\tn't\tnot\tPART\tRB\t_\t2\tadvmod\t_\t_\n"
        "3.1\tbuy\tbuy\tVERB\tVB\t_\t_\t_\t2:conj\t_\n"
        "4\t10 000\t10 000\tNUM\tCD\t_\t2\tobj\t_\t_\n\n"
        "# text = #1\n1\t#\t#\tSYM\tNN\t_\t0\troot\t_\t_\n2\t1\t1\tNUM\tCD\t_\t1\tnummod\t_\t_\n\n"
    ),
    "multiconer": (
        "\n# id 5f0f0a2c-1b\tdomain=en\nlittle _ _ B-CW\n# _ _ I-CW\nwomen _ _ I-CW\n\n\n"
        "# id 8d1ac8b7-5e\tdomain=en\nit _ _ O\n\n"
    ),
}
READ = {
    "wnut17": [("@paulwalk Empire State", "O B-location I-location"), ("Glee #tv", "B-creative-work O")],
    "germeval": [("Schartau # Ulmer", "B-PER O B-LOCderiv"), ("Au", "B-LOC")],
    "jnlpba": [("IL-2 gene and", "B-DNA I-DNA O"), ("#1", "O"), ("T", "B-cell_type")],
    "bc2gm": [("alkaline phosphatase was", "B-SPAN I-SPAN O"), ("Zap", "B-SPAN")],
    "conll2002-es": [("La Coruña ,", "B-LOC I-LOC O"), ("España", "B-LOC")],
    "conll2002-nl": [("De café", "O B-ORG"), ("Hoeveel", "O"), ("Hij", "O")],
    "ud-english": [("They do n't 10~000", "PRON AUX PART NUM"), ("# 1", "SYM NUM")],
    "multiconer": [("little # women", "B-CW I-CW I-CW"), ("it", "O")],
    "wikiann-de": [("Ulm liegt", "B-LOC O"), ("Ida Au", "B-PER I-PER")],
}
ENTRIES: dict[str, Any] = {}
for block in blocks(PAGE, "yaml"):
    ENTRIES |= YAML(typ="safe", pure=True).load(f"corpora:\n{block}")["corpora"]


def wanted(name: str) -> list[Sentence]:
    return [
        Sentence(tuple(word.replace("~", " ") for word in words.split()), tuple(tags.split()))
        for words, tags in READ[name]
    ]


def described(name: str, place: Path) -> Corpus:
    """The page's entry, through params.yaml; nothing is held out of a tiny file but its last sentence."""
    entry = ENTRIES[name]
    if "hold_out" in entry:
        entry = entry | {"hold_out": 1}
    return load_from(place / "params.yaml", TREE | {"corpora": {name: entry}, "task": name}).corpus


def read(name: str, corpus: Corpus, place: Path) -> None:
    """Fetch and read all splits, and compare them with what was written."""
    folder = place / "out"
    folder.mkdir()
    fetch_corpus(corpus, folder, mirror=place)
    splits = {split: [*found] for split, found in read_splits(folder, corpus, folder / "test").items()}
    train = splits["train"] if corpus.files.dev else splits["train"] + splits["dev"]
    assert train == splits["test"] == wanted(name)


def test_every_entry_of_the_page_has_its_sample() -> None:
    assert set(ENTRIES) == set(READ) == {*SAMPLES, "wikiann-de"}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_in_this_layout(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    corpus = described(name, tmp_path)
    for (source,) in corpus.files.by_split().values():
        path = tmp_path / source.rpartition("/")[2] if "://" in source else Path(source)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(SAMPLES[name].encode(corpus.encoding))
    read(name, corpus, tmp_path)


def test_a_data_set_of_the_hub_in_this_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]
    words = [list(sentence.words) for sentence in wanted("wikiann-de")]
    table = pa.table(
        {
            "tokens": words,
            "ner_tags": [list(map(names.index, sentence.tags or ())) for sentence in wanted("wikiann-de")],
            "langs": [["de"] * len(row) for row in words],
            "spans": [["LOC: Ulm"], ["PER: Ida Au"]],
        }
    )
    feature = {"feature": {"names": names, "_type": "ClassLabel"}, "_type": "Sequence"}
    info = json.dumps({"info": {"features": {"ner_tags": feature}}})
    path = tmp_path / "train-00000-of-00001.parquet"
    pq.write_table(table.replace_schema_metadata({"huggingface": info}), path)
    asked: list[tuple[str, str]] = []

    def files(source: str, split: str) -> list[Path]:
        asked.append((source, split))
        return [path]

    monkeypatch.setattr(hub, "dataset_files", files)
    read("wikiann-de", described("wikiann-de", tmp_path), tmp_path)
    assert asked == [("unimelb-nlp/wikiann/de", split) for split in ("train", "dev", "test")]
