"""Files of the Hugging Face hub, through its own client, so that its cache, token and offline mode apply."""

import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.errors import UserError, one_line
from pipeline.fetching.checks import check_size
from pipeline.fetching.web import within, without_proxy_here

HUB_ID = re.compile(
    r"(?P<repo>[\w.-]+(/[\w.-]+)?)(/(?P<config>[\w.-]+))?(@(?P<revision>[\w./-]+))?", re.ASCII
)
CONVERTED = "refs/convert/parquet"  # where the hub keeps every data set as Parquet
ANSWER = 300.0  # seconds in which the hub must say which files a repository has
START, SLOWEST = 60.0, 16 << 10  # a file must come within START seconds and one for each SLOWEST bytes
_SPLIT_ALIASES = {"dev": ("validation", "valid", "dev", "val")}


_SHARD = r"-\d+-of-\d+(?:-[0-9a-f]+)?|[-._](?:\d{1,3}|\d{5,})"  # a year is none


def split_aliases(split: str) -> tuple[str, ...]:
    """What a split may be called in a data set; `dev` has several names."""
    return _SPLIT_ALIASES.get(split, (split,))


def is_hub_id(source: str) -> bool:
    """Whether `source` reads as `name`, `org/name` or `org/name/config`, each optionally `@revision`."""
    return HUB_ID.fullmatch(source) is not None and ".." not in source


def model_files(source: str, patterns: Sequence[str]) -> Path:
    """The cached folder with a model's files that match `patterns`.

    Raises:
        UserError: the hub has no such model, it is larger than checks.LARGEST, or the hub cannot be reached
            and the cache lacks it.
    """
    repo, config, revision = _parts(source)
    if config:
        raise UserError(
            f"{source}: neither a folder here nor a hub model; write org/name, or org/name@revision"
        )
    return _snapshot(source, repo, "model", revision, patterns)


def dataset_files(source: str, split: str) -> list[Path]:
    """The cached Parquet files of one split of a data set, in order.

    The files are those in the repository; where it has none, those that the hub has converted.

    Raises:
        UserError: the hub has no such data set or split, it has several configurations and the source names
            none, the split is larger than checks.LARGEST, or the hub cannot be reached.
    """
    repo, config, revision = _parts(source)
    for at in (revision,) if revision else (None, CONVERTED):
        names = split_files(source, _listing(source, repo, at), split, config)
        if names:
            folder = _snapshot(source, repo, "dataset", at, names)
            return [folder / name for name in names]
    raise UserError(
        f"{source}: has no Parquet files for the split {split}; name another data set or revision"
    )


def _parts(source: str) -> tuple[str, str | None, str | None]:
    match = HUB_ID.fullmatch(source)
    assert match, f"not checked with is_hub_id: {source}"
    return match["repo"], match["config"], match["revision"]


def split_files(source: str, names: Sequence[str], split: str, config: str | None = None) -> list[str]:
    """Those of a repository's files that hold one split, in order; none where it has no such split.

    They are called as data/train-00000-of-00001.parquet or CONFIGURATION/train/0000.parquet.

    Raises:
        UserError: several configurations have the split and `config` names none, or several splits have
            names that only begin as asked, such as train_2020 and train_all.
    """
    for called in split_aliases(split):
        wanted = re.compile(rf"(?:^|/)({called}(?:[-._][^/]*?)??)(?:{_SHARD}|/[^/]*)?\.parquet$")
        matches = [match for name in sorted(names) if (match := wanted.search(name))]
        if config:
            matches = [match for match in matches if config in match.string.split("/")[:-1]]
        matches = [match for match in matches if match[1] == called] or matches
        if len(splits := sorted({match[1] for match in matches})) > 1:
            listed = one_line(", ".join(splits))
            raise UserError(
                f"{source}: has several splits whose names begin with {called} ({listed}); fetch it, and "
                "name the files of one"
            )
        folders = {match.string[: match.start()] for match in matches}
        if len(folders) > 1:
            choices = one_line(", ".join(folder or "." for folder in sorted(folders)[:9]))
            raise UserError(
                f"{source}: has several configurations ({choices}); "
                "name one, as in org/name/CONFIGURATION or FOLDER/CONFIGURATION"
            )
        if matches:
            return [match.string for match in matches]
    return []


def _listing(source: str, repo: str, revision: str | None) -> list[str]:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RevisionNotFoundError

    asked = partial(HfApi().list_repo_files, repo, repo_type="dataset", revision=revision)
    try:
        with without_proxy_here():
            return list(within(ANSWER, asked))
    except RevisionNotFoundError as error:
        if revision == CONVERTED:  # the hub converts neither private data sets nor all others
            return []
        raise _refusal(source, "data set", error) from None
    except Exception as error:
        raise _refusal(source, "data set", error) from None


def _snapshot(source: str, repo: str, kind: str, revision: str | None, patterns: Sequence[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import DryRunError
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    asked: dict[str, Any] = {"repo_type": kind, "revision": revision, "allow_patterns": list(patterns)}
    try:
        with without_proxy_here():
            # DryRunError: the hub cannot be reached. Nothing is fetched then, and the cache may have all.
            with suppress(DryRunError):
                found: Any = within(ANSWER, partial(snapshot_download, repo, dry_run=True, **asked))
                files = [file for file in found if file.will_download]
                check_size(source, sum(file.file_size for file in files))
                for file in files:
                    _fetch(source, repo, kind, file)
            return Path(within(ANSWER, partial(snapshot_download, repo, **asked)))
    except UserError:
        raise
    except Exception as error:
        raise _refusal(source, kind.replace("dataset", "data set"), error) from None


def _fetch(source: str, repo: str, kind: str, file: Any) -> None:
    """Bring a file into the cache, one at a time: a pool's threads would keep the process from ending.

    The client has a limit for each wait alone, so that a server which sends byte by byte keeps to it.
    """
    from huggingface_hub import hf_hub_download

    seconds = START + file.file_size / SLOWEST
    fetch = partial(hf_hub_download, repo, file.filename, repo_type=kind, revision=file.commit_hash)
    try:
        within(seconds, fetch)
    except TimeoutError as error:
        raise UserError(
            f"{source}: the hub has not sent {one_line(file.filename)}, {file.file_size:,} bytes, within "
            f"{seconds:,.0f} s; run again when it is faster, or fetch it by hand and give its folder"
        ) from error


def _refusal(source: str, kind: str, error: Exception) -> UserError:
    """The client raises errors of several libraries; the first sentence of each says enough."""
    reason = one_line(error) or type(error).__name__
    return UserError(
        f"{source}: neither a path here nor a hub {kind} that can be fetched ({reason}); correct the name, "
        "log in if it is gated, check the network, or give a path"
    )
