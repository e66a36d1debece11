"""The entries of `corpora` and the group `unlabelled` in params.yaml."""

from collections import Counter
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from pipeline.corpora.schemes import FileScheme
from pipeline.settings import Address, Count, Group

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
Checksum = Annotated[str, Field(pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")]
Column = Annotated[int, Field(ge=-(10**6), le=10**6)]  # no line has more characters
Addresses = Address | Annotated[tuple[Address, ...], Field(min_length=1)]


class Files(Group):
    """Where the splits come from; without `dev`, the end of `train` is held out.

    Several files of a split are read one after the other. Without `train` there are no labelled sentences but
    those of `test`, if it is given: students learn only from unlabelled text. `unlabelled` is such
    text, with one sentence per line.
    """

    train: Addresses | None = None
    dev: Addresses | None = None
    test: Addresses | None = None
    unlabelled: Addresses | None = None

    def by_split(self) -> dict[Split, tuple[str, ...]]:
        """The sources of each split that has any."""
        given: dict[Split, Addresses | None] = {"train": self.train, "dev": self.dev, "test": self.test}
        return {split: _as_tuple(sources) for split, sources in given.items() if sources is not None}


class Corpus(Group):
    """One entry of `corpora`.

    checksums: of a split's file; where it has several, a list of as many.
    counts: the sentences and the words of a split.
    word, tag: columns by number (conll; None is the first and the last) or by name (jsonl and dataset; None
        is tokens and ner_tags).
    words: how raw unlabelled text is cut: as CoNLL corpora are, or every character a word (Chinese, Thai).
    separator: what stands between columns (conll); None is any run of spaces and tabs.
    comment: prefix of lines to skip (conll); None skips none.
    names: of tags that are numbers (jsonl and dataset; a data set often tells them itself).
    language, licence: for the model card, as the hub calls them (en; cc-by-4.0).
    """

    files: Files
    checksums: dict[Split, Checksum | tuple[Checksum, ...]] = Field(default={})
    counts: dict[Split, tuple[Count, Count]] = Field(default={})
    hold_out: Count | None = None
    format: Literal["conll", "jsonl", "dataset"] = "conll"
    word: Column | str | None = None
    tag: Column | str | None = None
    separator: Annotated[str, Field(min_length=1)] | None = None
    comment: Annotated[str, Field(min_length=1)] | None = None
    names: tuple[str, ...] | None = None
    scheme: FileScheme = "iob2"
    encoding: str = "utf-8"
    words: Literal["conll", "characters"] = "conll"
    strict: bool = False
    language: Annotated[str, Field(pattern=r"^([a-z]{2,3}|multilingual)$")] | None = None
    licence: Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")] | None = None

    def checksums_of(self, split: Split) -> tuple[str | None, ...]:
        """The checksum of each source of a split, None where none is given."""
        given = self.checksums.get(split)
        return (None,) * len(self.files.by_split()[split]) if given is None else _as_tuple(given)

    @model_validator(mode="after")
    def _splits_fit(self) -> Self:
        if self.files.train is None:
            for key, value in (("files.dev", self.files.dev), ("hold_out", self.hold_out)):
                if value is not None:
                    raise ValueError(f"{key}: is not used without files.train; remove it")
        elif self.files.test is None:
            raise ValueError("files.test: is missing; add it")
        elif (self.files.dev is None) == (self.hold_out is None):
            raise ValueError("hold_out: give either hold_out or files.dev")
        return self

    @model_validator(mode="after")
    def _files_have_their_checksums_and_counts(self) -> Self:
        for key in ("checksums", "counts"):
            for split in getattr(self, key):
                if split not in self.files.by_split():
                    raise ValueError(f"{key}.{split}: there is no files.{split}; remove it")
        for split, sources in self.files.by_split().items():
            if len(self.checksums_of(split)) != len(sources):
                raise ValueError(f"checksums.{split}: give one for each file of files.{split}")
        return self

    @model_validator(mode="after")
    def _format_uses_what_is_given(self) -> Self:
        unused = {
            "conll": ("names",),
            "jsonl": ("separator", "comment"),
            "dataset": ("checksums", "separator", "comment", "encoding"),
        }
        for key in unused[self.format]:
            if getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key}: is not used with format {self.format}; remove it")
        return self

    @model_validator(mode="after")
    def _separator_is_no_escape(self) -> Self:
        if self.separator is not None and "\\t" in self.separator:
            raise ValueError('separator: holds a backslash and a t; write a tab as "\\t" in double quotes')
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        name, often = Counter(self.names or ("",)).most_common(1)[0]
        if often > 1:
            raise ValueError(f"names: holds {name!r} more than once; give each number a name of its own")
        return self

    @model_validator(mode="after")
    def _columns_fit(self) -> Self:
        _check_column("word", self.word, self.format)
        _check_column("tag", self.tag, self.format)
        defaults = (0, -1) if self.format == "conll" else ("tokens", "ner_tags")
        word, tag = (
            default if column is None else column
            for default, column in zip(defaults, (self.word, self.tag), strict=True)
        )
        if word == tag:
            raise ValueError(f"tag: is the column of the words too ({word!r}); correct word or tag")
        return self


class Unlabelled(Group):
    """Unlabelled text.

    files: paths, folders, https addresses, or data sets as in a corpus of format dataset; None is the
        corpus's own text, if it has any.
    format: text is one sentence per line; the others are as in a corpus.
    word: the column of the words (conll), or the field with a list of words or with text (jsonl, dataset);
        None is the column or field of the task's corpus, where that has the same format.
    checksums: of the unpacked files, one for each.
    sentences: how many to take; None is all, and 0 is no text.
    augmented: augmented sentences per labelled training sentence; they follow those of the files.
    """

    files: Addresses | None = None
    format: Literal["text", "conll", "jsonl", "dataset"] = "text"
    word: Column | str | None = None
    checksums: Checksum | Annotated[tuple[Checksum, ...], Field(min_length=1)] | None = None
    sentences: Annotated[int, Field(ge=0, le=10**9)] | None = None
    augmented: Annotated[int, Field(ge=0, le=1000)] = 0

    def sources(self) -> tuple[tuple[str, str | None], ...]:
        """Each source with its checksum, if it has one."""
        files, sums = _as_tuple(self.files or ()), _as_tuple(self.checksums or ())
        return tuple(zip(files, sums or (None,) * len(files), strict=True))

    def or_own(self, corpus: Corpus) -> "Unlabelled":
        """These settings; without files of their own, those for the corpus's text, if it has any.

        With `sentences: 0` there is no text at all.
        """
        own = corpus.files.unlabelled
        if self.sentences == 0:
            return Unlabelled()
        return self if self.files or own is None else Unlabelled(files=own, sentences=self.sentences)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        files, sums = (len(_as_tuple(given or ())) for given in (self.files, self.checksums))
        if not files and self.format != "text":
            raise ValueError(f"format: {self.format}, but there are no files; give files, or set text")
        if sums and self.format == "dataset":
            raise ValueError("checksums: is not used with format dataset; empty it")
        if sums not in (0, files):
            raise ValueError("checksums: give one for each of files")
        if self.word is not None and self.format == "text":
            raise ValueError("word: is not used with format text; empty it")
        _check_column("word", self.word, self.format)
        return self


def _as_tuple(given: str | tuple[str, ...]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else given


def _check_column(key: str, column: int | str | None, format: str) -> None:
    """Refuse a column, if one is given, that is no number (format conll) or no name (the others)."""
    kind, meaning = (int, "number") if format == "conll" else (str, "name")
    if column is not None and not isinstance(column, kind):
        raise ValueError(f"{key}: must be a column's {meaning} with format {format}, not {column!r}")
