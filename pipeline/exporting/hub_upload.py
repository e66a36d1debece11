"""A student with its model card: as a folder, and on a model hub."""

import shutil
import sys
from pathlib import Path

from pipeline.errors import UserError, one_line
from pipeline.exporting.out_folder import check_out
from pipeline.fetching.web import without_proxy_here
from pipeline.storage.sealed_folder import SEAL, new_folder, sealed_files

CARD = "README.md"


def write_published(model: Path, card: str, out: Path) -> None:
    """Copy the sealed folder `model` to `out`, with the card, under a new seal.

    Raises:
        UserError: `out` cannot be written or replaced (see check_out).
    """
    check_out(model, out, CARD)
    with new_folder(out) as aside:
        for name in sealed_files(model):
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(model / name, aside / name)
        (aside / CARD).write_text(card, encoding="utf-8", newline="\n")


def check_repository(repository: str) -> None:
    """Check a hub id before anything is computed or written for it.

    Raises:
        UserError: it is no ORG/NAME that a hub takes.
    """
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    try:
        validate_repo_id(repository)
    except HFValidationError:
        valid = False
    else:
        valid = repository.count("/") == 1
    if not valid:
        raise UserError(
            f"--push: {one_line(repository)!r} is not a name for a hub; write ORG/NAME, of letters, digits, "
            "'-', '_' and '.'"
        )


def push(folder: Path, repository: str) -> str:
    """Upload what `write_published` wrote to the hub, as one commit, and return the page's address.

    The repository is made if there is none. The seal is not uploaded: a hub adds files of its own.

    Raises:
        UserError: `repository` is no ORG/NAME, or the hub is unreachable or refuses.
    """
    check_repository(repository)
    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    try:
        with without_proxy_here():
            hub = HfApi()
            address = hub.create_repo(repository, exist_ok=True)
            hub.upload_folder(
                repo_id=repository,
                folder_path=folder,
                commit_message="Student and card",
                ignore_patterns=[SEAL],
            )
    except Exception as error:  # the client raises errors of several libraries
        raise UserError(
            f"{repository}: the upload failed ({one_line(error) or type(error).__name__}); check the network "
            "and the name, and log in with `hf auth login`"
        ) from None
    return str(address)
