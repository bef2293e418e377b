"""The readable report inside the bag (`data/report`): static pages that read without any script.

Same bundle, same zone, same bytes. It carries neither the bag digest nor custody: both come after it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bagtag.reports.html import conversation, listings, page
from bagtag.reports.html.clock import Clock
from bagtag.reports.html.reading_order import ReadingOrder
from bagtag.reports.html.values import flat
from bagtag.reports.html.view import BundleView
from bagtag.reports.html.wording import EFFECTS, GLOSSARY


def write(
    out: Path, bundle: BundleView, *, tz: str = "UTC", progress: Callable[[float], None] | None = None
) -> list[Path]:
    """Write every page, the style and the script into the folder `out`, made when absent; gives what was written.

    `out` must lie where data/report lies in the bag: attachments are linked as ../files/…. `tz` is an IANA zone; all
    times are shown in it and say so. `progress` gets fractions from 0 to 1. Raises UsageError for an unknown zone.
    """
    clock = Clock(tz)
    out.mkdir(parents=True, exist_ok=True)
    pages = page.Pages(out, bundle, clock)
    with ReadingOrder(bundle.records / "messages.jsonl", bundle.work) as order:
        found = conversation.conversations(bundle.records / "chats.jsonl", order)
        counts = listings.tally(pages)
        listings.files(pages, counts)
        effects, led = listings.issues(pages, order)
        traces = listings.traces(pages)
        contacts = listings.contacts(pages)
        drafts, settings = listings.drafts(pages), listings.settings(pages)
        pages.write("about.html", "about.html", glossary=GLOSSARY)
        pages.write(
            "index.html",
            "index.html",
            effects=effects,
            meanings=EFFECTS,
            led=led,
            scope=[(label.replace("_", " "), value) for label, value in flat(bundle.scope)] if bundle.scope else [],
            left_out=sorted(bundle.left_out.items()),
            records=sorted(bundle.counts.items()),
            conversations=[(one, clock.stamp(one.extent.first_at), clock.stamp(one.extent.last_at)) for one in found],
            backup_at=clock.stamp(bundle.device.backup_at),
            counts=counts,
            traces=traces,
            contacts=contacts,
            drafts=drafts,
            settings=settings,
            messages=order.count,
            reconciliation=bundle.reconciliation,
            second=bundle.second_reading,
            source_digest=bundle.source_digest,
        )
        done, whole = 0, sum(one.extent.messages for one in found)
        for one in found:
            conversation.write(pages, one, order)
            done += one.extent.messages
            if progress is not None:
                progress(done / whole if whole else 1.0)
    pages.static("style.css")
    pages.static("app.js")
    return sorted(pages.written)
