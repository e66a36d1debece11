"""The entries of `corpora` in params.yaml."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from pipeline.settings import Address, Group

Split = Literal["train", "dev", "test"]
Checksum = Annotated[str, Field(pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")]


class Files(Group):
    """Where the splits come from; without `dev`, the end of `train` is held out."""

    train: Address
    dev: Address | None = None
    test: Address


class Corpus(Group):
    """One entry of `corpora`.

    word, tag: columns by number (conll; None is the first and the last) or by name (jsonl and dataset; None
        is tokens and ner_tags).
    words: how raw text without tags is cut: as CoNLL corpora are, or every character a word (Chinese, Thai).
    separator: what stands between columns (conll); None is any run of spaces and tabs.
    comment: how lines begin that are left out (conll); None leaves none out.
    names: of tags that are numbers (jsonl and dataset; a data set often tells them itself).
    """

    files: Files
    checksums: dict[Split, Checksum] = Field(default={})
    counts: dict[Split, tuple[PositiveInt, PositiveInt]] = Field(default={})
    hold_out: PositiveInt | None = None
    format: Literal["conll", "jsonl", "dataset"] = "conll"
    word: int | str | None = None
    tag: int | str | None = None
    separator: Annotated[str, Field(min_length=1)] | None = None
    comment: Annotated[str, Field(min_length=1)] | None = None
    names: tuple[str, ...] | None = None
    scheme: Literal["iob1", "iob2", "bioes", "plain"] = "iob2"
    encoding: str = "utf-8"
    words: Literal["conll", "characters"] = "conll"
    strict: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.files.dev is None) == (self.hold_out is None):
            raise ValueError("hold_out: give either it or files.dev")
        for key in ("checksums", "counts"):
            if "dev" in getattr(self, key) and self.files.dev is None:
                raise ValueError(f"{key}.dev: there is no files.dev; remove it")
        unused = {
            "conll": ("names",),
            "jsonl": ("separator",),
            "dataset": ("checksums", "separator", "encoding"),
        }
        for key in unused[self.format]:
            if getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key}: is not used with format {self.format}; remove it")
        kind, meaning = (int, "number") if self.format == "conll" else (str, "name")
        for key, column in (("word", self.word), ("tag", self.tag)):
            if column is not None and not isinstance(column, kind):
                raise ValueError(
                    f"{key}: must be a column's {meaning} with format {self.format}, not {column!r}"
                )
        return self
