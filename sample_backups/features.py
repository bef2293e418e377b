"""Everything iMessage can do, once: the long part of the story, told on top of the short one where it is asked for.

Each scene tells what the story's release has; what a message was told for stands in its truth under `feature`.
"""

from __future__ import annotations

from bagtag.sample_backups import (
    announcements,
    balloons,
    deliveries,
    drafts,
    enclosures,
    formatting,
    ink,
    link_previews,
    polls,
    reactions,
    rewording,
)
from bagtag.sample_backups.story import Story


def tell(story: Story) -> None:
    """Every feature that the story's release has, one scene a day."""
    scenes = [formatting.tell, reactions.tell] if story.release >= (10, 0) else []
    scenes += [announcements.tell, enclosures.tell, deliveries.tell]
    if story.release >= (16, 0):
        scenes.append(rewording.tell)
    if story.release >= (10, 0):
        scenes += [link_previews.tell, balloons.tell, ink.tell]
    if story.release >= (26, 0):
        scenes.append(polls.tell)
    for scene in scenes:
        story.next_day()
        scene(story)
    drafts.tell(story)
