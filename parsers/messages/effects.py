"""Effects: how a message was sent to appear, from `expressive_send_style_id`."""

from __future__ import annotations

from functools import lru_cache

from bagtag.parsers.records import Effect

_BUBBLE = "com.apple.MobileSMS.expressivesend."
_SCREEN = "com.apple.messages.effect."
_KINDS = {
    _BUBBLE + "impact": "slam",
    _BUBBLE + "loud": "loud",
    _BUBBLE + "gentle": "gentle",
    _BUBBLE + "invisibleink": "invisible-ink",
    _SCREEN + "CKConfettiEffect": "confetti",
    _SCREEN + "CKEchoEffect": "echo",
    _SCREEN + "CKFireworksEffect": "fireworks",
    _SCREEN + "CKHappyBirthdayEffect": "balloons",
    _SCREEN + "CKHeartEffect": "heart",
    _SCREEN + "CKLasersEffect": "lasers",
    _SCREEN + "CKShootingStarEffect": "shooting-star",
    _SCREEN + "CKSparklesEffect": "celebration",
    _SCREEN + "CKSpotlightEffect": "spotlight",
}


@lru_cache(maxsize=64)
def effect(identifier: str | None) -> Effect | None:
    """The effect of an id; `unknown` for one that is not in Apple's list as known, None without one."""
    return Effect(kind=_KINDS.get(identifier, "unknown"), raw=identifier) if identifier else None
