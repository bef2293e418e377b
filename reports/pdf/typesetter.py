"""The typesetter in a process of its own: one document, with bounds on memory and time.

Run as a script, never imported: `python -I typesetter.py`. Standard input is one JSON object: `root`, `template`,
`out`, `fonts` (a folder), `created` (seconds since 1970), `memory` (bytes) and `seconds`; standard output gets one:
`warnings`, or `error` with `hints`. Every document is written as PDF/A-3a and PDF/UA-1 together, because then typst
refuses to print a letter that no font has instead of leaving an empty box.
"""

from __future__ import annotations

import contextlib
import json
import sys

import typst

try:
    import resource
except ImportError:  # Windows has no such limits: there the parent's clock is the only one
    resource = None  # type: ignore[assignment]


def main() -> None:
    """Answer the one question on standard input."""
    job = json.load(sys.stdin.buffer)
    if resource is not None:
        for kind, bound in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_CPU, job["seconds"]),
                            (resource.RLIMIT_AS, job["memory"])):  # fmt: skip
            with contextlib.suppress(OSError, ValueError):  # macOS refuses some; a lower bound may be set already
                resource.setrlimit(kind, (bound, bound))
    try:
        _, warnings = typst.compile_with_warnings(
            job["template"],
            job["out"],
            root=job["root"],
            font_paths=[job["fonts"]],
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards=["a-3a", "ua-1"],
            timestamp=job["created"],
            package_path=job["root"],
            package_cache_path=job["root"],
        )
        answer: dict[str, object] = {"warnings": [str(warning) for warning in warnings]}
    except typst.TypstError as trouble:
        answer = {"error": trouble.message, "hints": trouble.hints}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
