from pathlib import Path

from benchmarks.studies.parts import corpus_settings, read_corpus, write_parts


def test_every_training_sentence_is_labelled_or_text(tmp_path: Path) -> None:
    _, splits = read_corpus("newsdesk")
    sizes = write_parts(splits, 100, tmp_path, development=25)
    assert sizes == {"train": 100, "dev": 25, "test": 600, "text": 1_600}
    words = [
        " ".join(line.split()[0] for line in sentence.splitlines())
        for sentence in (tmp_path / "train.conll").read_text().split("\n\n")
        if sentence
    ]
    text = (tmp_path / "text.txt").read_text().splitlines()
    assert (len(words), len(text)) == (100, 1_600)
    assert sorted(words + text) == sorted(" ".join(one.words) for one in splits["train"])


def test_settings_name_the_files_that_were_written(tmp_path: Path) -> None:
    corpus, splits = read_corpus("newsdesk")
    write_parts(splits, 10, tmp_path)
    settings = dict(setting.split("=", 1) for setting in corpus_settings("part", corpus, tmp_path))
    assert settings.pop("++corpora.part.scheme") == "iob2"
    assert settings == {
        f"++corpora.part.files.{split}": f"{tmp_path}/{split}.conll" for split in ("train", "dev", "test")
    }
    assert all(Path(file).exists() for file in settings.values())
