"""Names that are one on some computers: they differ in nothing but case or in how Unicode composes their characters.

Windows and macOS would write the one file over the other (public contract, "making a bundle"), so an evidence folder
never has two; nor has it a file that is the folder of another.
"""

from __future__ import annotations

import unicodedata


class Twins:
    """Fed with the paths of files, sorted bytewise. Memory grows with the largest folders alone."""

    def __init__(self) -> None:
        self._folder = b""
        self._parts: list[bytes] = []
        self._names: list[dict[str, tuple[bytes, bool]]] = [{}]

    def of(self, path: bytes) -> bytes | None:
        """The earlier path that this one, or a folder on its way, cannot lie beside; None for an honest one."""
        folder, _, name = path.rpartition(b"/")
        if folder == self._folder and folder:
            return self._enter(len(self._parts), name, self._parts, is_folder=False)
        self._folder = folder
        folders = folder.split(b"/") if folder else []
        common = 0
        for mine, before in zip(folders, self._parts, strict=False):
            if mine != before:
                break
            common += 1
        del self._parts[common:]
        del self._names[common + 1 :]
        found = None
        for depth in range(common, len(folders)):
            found = found or self._enter(depth, folders[depth], folders, is_folder=True)
            self._parts.append(folders[depth])
            self._names.append({})
        return self._enter(len(folders), name, folders, is_folder=False) or found

    def _enter(self, depth: int, name: bytes, folders: list[bytes], *, is_folder: bool) -> bytes | None:
        there = self._names[depth].setdefault(folded(name), (name, is_folder))
        if there == (name, is_folder):
            return None
        return b"/".join([*folders[:depth], there[0]])


def folded(name: bytes) -> str:
    """What two names have in common that are one name somewhere."""
    if name.isascii():
        return name.decode("ascii").lower()
    text = unicodedata.normalize("NFC", name.decode("utf-8", "surrogateescape"))
    return unicodedata.normalize("NFC", text.casefold())
