"""What git says of the checkout that a benchmark runs in."""

import subprocess

from pipeline.errors import UserError


def git(*arguments: str) -> str:
    """What `git` with these arguments prints, without spaces at its ends.

    Raises:
        UserError: git is missing or fails, as outside of a checkout.
    """
    try:
        return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(f"git {arguments[0]}: failed ({error}); keep results from a git checkout") from None
