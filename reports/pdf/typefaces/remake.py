"""Makes the font files of this folder again from the packages that they come from, byte for byte.

For developers; nothing of bagtag imports it, and it is not in the wheel. In a virtual environment of its own:

    pip install fonttools==4.68.0 brotli==1.2.1
    pip download --no-deps manimgx-fonts==2026.9.26.post1 fontpkg-amiri==1.2
    npm pack @fontsource/noto-color-emoji@5.3.2 @fontsource/noto-sans-symbols-2@5.3.0
    python remake.py FOLDER_WITH_THE_FOUR_FILES OUT

Noto Sans and its companions come as they are; Amiri has one glyph a letter, so that a reader of the PDF gives each
Arabic letter once; Noto Color Emoji is unpacked from WOFF2 and loses its SVG table (20 of 25 MB), which repeats in
another form what its COLR table draws; Noto Sans Symbols 2 (ticks, boxes, arrows, stars) loses the instructions for
coarse screens, which paper has no use for.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
import zipfile
from pathlib import Path

from fontTools.ttLib import TTFont

NOTO = "manimgx_fonts-2026.9.26.post1-py3-none-any.whl"
AMIRI = "fontpkg_amiri-1.2-py3-none-any.whl"
EMOJI = "fontsource-noto-color-emoji-5.3.2.tgz"
SYMBOLS = "fontsource-noto-sans-symbols-2-5.3.0.tgz"
SOURCES = {
    NOTO: "e5e21178263ddec3eef9414d2b52a1c90ac01062d3e9067460f3359f854c3e17",
    AMIRI: "ea30ddcbb1982a1a9f23bc970990a71984133d8784c0ddc9c1d716da3b9bdf20",
    EMOJI: "1bd31f2fb1616c9da2892e385ff9a95a446cecbc045e1354e6b8a64389f77b96",
    SYMBOLS: "dd714f47e1ba768274c25d14ac95610ca32e416d70c5455cd11d8995042a4552",
}
_FROM_NOTO = {
    "NotoSans.ttf": "manimgx_fonts/NotoSans[wght].ttf",
    "NotoSans-Italic.ttf": "manimgx_fonts/NotoSans-Italic[wght].ttf",
    "NotoSansDevanagari.ttf": "manimgx_fonts/NotoSansDevanagari[wght].ttf",
    "NotoSansHebrew.ttf": "manimgx_fonts/NotoSansHebrew[wght].ttf",
    "NotoSansSymbols.ttf": "manimgx_fonts/NotoSansSymbols[wght].ttf",
    "NotoSansThai.ttf": "manimgx_fonts/NotoSansThai[wght].ttf",
    "OFL-Noto.txt": "manimgx_fonts-2026.9.26.post1.dist-info/licenses/LICENSE",
}
_FROM_AMIRI = {"Amiri-Regular.ttf": "fontpkg_amiri/files/Amiri-Regular.ttf", "OFL-Amiri.txt": "fontpkg_amiri/LICENSE"}


def made(sources: Path) -> dict[str, bytes]:
    """Every file by name. Raises ValueError when a package is another than the one that is named here."""
    packages = {name: (sources / name).read_bytes() for name in SOURCES}
    for name, content in packages.items():
        if hashlib.sha256(content).hexdigest() != SOURCES[name]:
            raise ValueError(f"{name} is not the package that these fonts were made from")
    files: dict[str, bytes] = {}
    for package, members in ((NOTO, _FROM_NOTO), (AMIRI, _FROM_AMIRI)):
        with zipfile.ZipFile(io.BytesIO(packages[package])) as archive:
            files |= {name: archive.read(member) for name, member in members.items()}
    with tarfile.open(fileobj=io.BytesIO(packages[EMOJI])) as archive:
        files["OFL-NotoColorEmoji.txt"] = _member(archive, "package/LICENSE")
        woff2 = _member(archive, "package/files/noto-color-emoji-emoji-400-normal.woff2")
    files["NotoColorEmoji.ttf"] = _unpacked(woff2, without=("SVG ",))
    with tarfile.open(fileobj=io.BytesIO(packages[SYMBOLS])) as archive:
        files["OFL-NotoSansSymbols2.txt"] = _member(archive, "package/LICENSE")
        woff2 = _member(archive, "package/files/noto-sans-symbols-2-symbols-400-normal.woff2")
    files["NotoSansSymbols2.ttf"] = _unpacked(woff2, without=("fpgm", "prep", "cvt "))
    return files


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is no file")
    return file.read()


def _unpacked(woff2: bytes, *, without: tuple[str, ...]) -> bytes:
    font = TTFont(io.BytesIO(woff2), recalcTimestamp=False)
    font.flavor = None
    for table in without:
        del font[table]
    if "fpgm" in without:
        for name in font.getGlyphOrder():
            font["glyf"][name].removeHinting()
    target = io.BytesIO()
    font.save(target)
    return target.getvalue()


def main(sources: Path, out: Path) -> None:
    """Write the files and their digests (`sha256sum -c SHA256SUMS`)."""
    files = made(sources)
    for name, content in files.items():
        (out / name).write_bytes(content)
    sums = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    (out / "SHA256SUMS").write_text(sums, "utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
