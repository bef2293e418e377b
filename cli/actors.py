"""Who does it: the name that a custody line carries as its actor.

A name is a claim of whoever runs the command, as a signature on paper is; a signing key makes it more.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from bagtag.custody.errors import UsageError

if sys.platform == "win32":
    import getpass

    def account() -> str:
        """The name of the account that this process runs under; empty where the system tells none."""
        try:
            return getpass.getuser()
        except (OSError, KeyError, ImportError):
            return ""

else:
    import pwd

    def account() -> str:
        """The name of the account that this process runs under; its number where it has no name."""
        # From the system, not from the environment, which anybody sets.
        number = os.getuid()
        try:
            return pwd.getpwuid(number).pw_name
        except KeyError:
            return f"uid {number}"


ActorOption = Annotated[
    str | None,
    typer.Option("--actor", metavar="NAME", show_default=False, help="Who does this; default: the account's name."),
]


def actor(given: str | None) -> str:
    """The name that was given, else that of the account. Raises UsageError when there is neither."""
    name = account() if given is None else given.strip()
    if not name:
        raise UsageError("nobody is named as the actor", hint="give --actor NAME")
    return name
