"""The labels of a teacher that was trained elsewhere: their names, their scheme, and the tags they become."""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.corpora.schemes import FileScheme, letter_and_type, tag_problem
from pipeline.corpora.tagging import Scheme, TagSet, types_of
from pipeline.encoding.encoder_config import read_checked
from pipeline.errors import UserError, one_line
from pipeline.model.label_conversion import converted
from pipeline.model.tagger_config import checked_values, tagger_values
from pipeline.storage.file_names import CONFIG

log = logging.getLogger(__name__)

_UNNAMED = re.compile(r"LABEL_\d+")  # what `transformers` calls labels without names
_PREFIXED = re.compile(r"([BIELSU])(-.+)?")
_NAMED = 12  # types in one message


@dataclass(frozen=True)
class TeacherLabels:
    """The labels of the model in `folder`, in the order of its emission layer, and their scheme."""

    folder: Path
    names: tuple[str, ...]
    scheme: FileScheme

    @property
    def types(self) -> tuple[str, ...]:
        """The types of the labels, each once in alphabetical order; with plain tags the labels themselves."""
        if self.scheme == "plain":
            return tuple(sorted(self.names))
        return tuple(sorted({letter_and_type(name, self.scheme)[1] for name in self.names} - {""}))

    def tag_set(self, types: Mapping[str, str | None]) -> TagSet:
        """The tags that the labels become when their types are renamed; see `LabelConversion`.

        Raises:
            UserError: `types` names a type that they have not, or none of them becomes a tag.
        """
        self._check_types(types)
        tags = {tag for name in self.names for tag in converted(name, self.scheme, types)}
        if self.scheme != "plain" and not types_of(tags, self.scheme):
            raise UserError("teacher.types: leaves none of the types that the teacher has; keep at least one")
        return TagSet.with_types_of(tags, self.scheme)

    def check(self, tag_set: TagSet, types: Mapping[str, str | None]) -> None:
        """Check that the labels become the tags of a corpus, all of them and no others.

        Raises:
            UserError: they do not; the line has both sets.
        """
        own = self.tag_set(types)
        plain = tag_set.scheme == "plain"
        if plain != (self.scheme == "plain"):
            kind = "plain tags" if plain else "spans"
            raise UserError(
                f"teacher.scheme: {self.scheme}, but the corpus has {kind}; correct it or the corpus's scheme"
            )
        ours, theirs = (types_of(one.tags, one.scheme) for one in (tag_set, own))
        if ours == theirs:
            if not plain and "O" not in self.names and None not in types.values():
                raise UserError(f"{self.folder}: its labels have no O; choose another teacher.model")
            return
        unknown, lacking = sorted(theirs - ours), sorted(ours - theirs)
        said = (
            f"teacher.model: its types are {_listed(self.types)}, and those of the corpus {_listed(ours)}; "
        )
        if unknown:
            example = f"{unknown[0]}: {lacking[0] if lacking else 'null'}"
            raise UserError(
                f"{said}write under teacher.types what each of {_listed(unknown)} is in the corpus, such as "
                f"`{example}`, or null where it is none"
            )
        raise UserError(
            f"{said}none of its types becomes {_listed(lacking)}; name one under teacher.types, such as "
            f"`{self.types[0]}: {lacking[0]}`, or choose another teacher"
        )

    def _check_types(self, types: Mapping[str, str | None]) -> None:
        for kind, renamed in types.items():
            if kind not in self.types:
                raise UserError(
                    f"teacher.types.{kind}: the teacher has no such type, only {_listed(self.types)}; "
                    "correct it"
                )
            whole = renamed if renamed is None or self.scheme == "plain" else f"B-{renamed}"
            if whole is not None and (problem := tag_problem(whole, _target(self.scheme))):
                raise UserError(f"teacher.types.{kind}: {problem}")


def read_labels(folder: Path, scheme: FileScheme | None, corpus: Scheme) -> TeacherLabels:
    """The labels of the token classifier, or the tagger of this project, in `folder`.

    Args:
        folder: with config.json.
        scheme: of the labels; None: found out.
        corpus: what the corpus's tags are in; in a corpus of plain tags the labels are plain tags, too.

    Raises:
        UserError: the folder is damaged or of another model, or its labels have no names or are not in the
            scheme.
    """
    config = read_checked(folder)
    own = checked_values(config, folder) if tagger_values(config) else {}
    _check_kind(folder, config)
    if own.get("head") == "crf":
        tags = TagSet.from_json(own.get("tag_set"))
        return TeacherLabels(folder, tags.tags, scheme or tags.scheme)
    names = _names(folder, config)
    recorded = (own.get("conversion") or own.get("tag_set") or {}).get("scheme")
    found = scheme or recorded or scheme_of(names, corpus)
    for name in names:
        if problem := tag_problem(name, found):
            why = problem.rpartition("; ")[0]
            raise UserError(f"{folder / CONFIG}: id2label: {why}; correct it, or set teacher.scheme")
    return TeacherLabels(folder, names, found)


def scheme_of(labels: Iterable[str], corpus: Scheme = "iob2") -> FileScheme:
    """The scheme that labels are in, by their names.

    IOB1 and IOB2 can have the same labels. It is IOB1 where a type has an I- and no B-, which no corpus in
    IOB2 has, and IOB2 otherwise.

    Raises:
        UserError: they are in none.
    """
    if corpus == "plain":
        return "plain"
    names = [label for label in labels if label != "O"]
    parts = [_PREFIXED.fullmatch(name) for name in names]
    if not any(parts):
        return "io"
    letters: dict[str, set[str]] = {}
    for name, part in zip(names, parts, strict=True):
        if part is None:
            other = next(name for name, part in zip(names, parts, strict=True) if part)
            raise _no_scheme(f"{name!r} has no prefix as {other!r} has one")
        letters.setdefault(part[2] or "", set()).add(part[1])
    found = set().union(*letters.values())
    if found <= set("BI"):
        if found == {"I"}:
            return "io"
        return "iob1" if {"I"} in letters.values() else "iob2"
    if found <= set("BIES"):
        return "bioes"
    if found <= set("BILU"):
        return "bilou"
    raise _no_scheme(f"their prefixes are {', '.join(sorted(found))}")


def _no_scheme(why: str) -> UserError:
    return UserError(
        f"teacher.model: its labels are in no known scheme ({one_line(why)}); set teacher.scheme, or "
        "correct id2label in its config.json"
    )


def _names(folder: Path, config: dict[str, Any]) -> tuple[str, ...]:
    """The labels under `id2label`."""
    where = folder / CONFIG
    table = config.get("id2label")
    numbers = [str(number) for number in range(len(table))] if isinstance(table, dict) else []
    names = [table.get(number) for number in numbers] if isinstance(table, dict) else []
    if not names or all(isinstance(name, str) and _UNNAMED.fullmatch(name) for name in names):
        raise UserError(
            f"{where}: its labels have no names; put them into id2label there, such as "
            '{"0": "O", "1": "B-PER"}, in the order of the model\'s outputs, and give that folder'
        )
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise UserError(f"{where}: id2label must give each number from 0 a name of its own; correct it")
    return tuple(map(str, names))


def _check_kind(folder: Path, config: dict[str, Any]) -> None:
    """Refuse a model that says it is something else than a token classifier or a tagger of this project."""
    kinds = config.get("architectures")
    if not isinstance(kinds, list) or not kinds:
        return
    if not any(str(kind).endswith(("ForTokenClassification", "ChainTagger")) for kind in kinds):
        raise UserError(
            f"{folder / CONFIG}: is of a {one_line(kinds[0], 60)}, which is not a token classifier; "
            "choose another teacher.model"
        )


def _target(scheme: FileScheme) -> FileScheme:
    return "plain" if scheme == "plain" else "iob2"


def _listed(names: Iterable[str]) -> str:
    shown = sorted(names)
    more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
    return one_line(", ".join(shown[:_NAMED]) or "none", 400) + more
