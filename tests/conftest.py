"""What all rooms' tests share: sample backups minted once a session, and tests that need a program on this computer."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.sample_backups.make import Minted
from bagtag.sample_backups.make import mint as mint_backup

Mint = Callable[..., Minted]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose program is absent, naming it; with BAGTAG_REQUIRE_ALL=1 it fails instead."""
    for marker in item.iter_markers("program"):
        name = str(marker.args[0])
        if shutil.which(name) is None:
            reason = f"needs the program {name}, which is not on this computer"
            if os.environ.get("BAGTAG_REQUIRE_ALL") == "1":
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)


@pytest.fixture(scope="session")
def encrypted_backup(tmp_path_factory: pytest.TempPathFactory) -> Minted:
    """A sound encrypted backup of iOS 18. Shared by all tests: read it, never change it."""
    return mint_backup(tmp_path_factory.mktemp("encrypted"))


@pytest.fixture(scope="session")
def plain_backup(tmp_path_factory: pytest.TempPathFactory) -> Minted:
    """The same device without encryption. Shared by all tests: read it, never change it."""
    return mint_backup(tmp_path_factory.mktemp("plain"), encrypted=False)


@pytest.fixture(scope="session")
def mint(tmp_path_factory: pytest.TempPathFactory) -> Mint:
    """Mint a backup into a folder of its own, with the arguments of `bagtag.sample_backups.make.mint`."""

    def into_new_folder(**arguments: Any) -> Minted:
        dest: Path = tmp_path_factory.mktemp("minted")
        return mint_backup(dest, **arguments)

    return into_new_folder
