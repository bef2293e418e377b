"""The columns of sms.db that are read by name, under Apple's names, and how each is to be read.

Known from schemas of iOS 6 to 26 and, for the last ones, from public listings. A column that a database lacks is "not
recorded", never 0; one that is not named here is carried in `raw` all the same.
"""

from __future__ import annotations

TIMES = (
    "date", "date_read", "date_delivered", "date_played", "date_edited", "date_retracted", "date_recovered",
    "time_expressive_send_played",
)  # fmt: skip
"""Seconds or nanoseconds since 2001; 0 is "not set"."""

_READ = (
    "guid", "text", "handle_id", "subject", "attributedBody", "service", "account", "is_from_me", "is_empty",
    "cache_roomnames", "item_type", "other_handle", "group_title", "group_action_type", "share_status",
    "associated_message_guid", "associated_message_type", "associated_message_emoji",
    "balloon_bundle_id", "payload_data", "expressive_send_style_id", "message_summary_info", "destination_caller_id",
    "reply_to_guid", "thread_originator_guid", "thread_originator_part", "schedule_type", "error",
    "expire_state", "syndication_ranges",
)  # fmt: skip

MESSAGE = _READ + TIMES

_FLAGS = frozenset(
    {
        "is_delivered", "is_finished", "is_emote", "is_from_me", "is_empty", "is_delayed", "is_auto_reply",
        "is_prepared", "is_read", "is_system_message", "is_sent", "is_service_message", "is_forward", "is_archive",
        "has_dd_results", "was_data_detected", "was_downgraded", "was_deduplicated", "cache_has_attachments",
        "is_audio_message", "is_played", "is_expirable", "is_corrupt", "is_spam", "has_unseen_mention",
        "was_delivered_quietly", "did_notify_recipient", "was_detonated", "is_stewie", "is_kt_verified", "is_sos",
        "is_critical", "is_pending_satellite_send", "needs_relay", "sent_or_received_off_grid", "is_time_sensitive",
        "is_preview_sent", "is_preview_delivered", "replace",
    }
)  # fmt: skip
_FLAG_PREFIXES = ("is_", "was_", "has_", "did_", "needs_")


def is_flag(column: str) -> bool:
    """Whether a column is a status: one that is known as such, or a later one named in the way of Apple's flags."""
    return column in _FLAGS or column.startswith(_FLAG_PREFIXES)


_FEW = frozenset(
    {
        "service_center", "country", "version", "type", "service", "account", "account_guid", "error", "item_type",
        "other_handle", "group_action_type", "share_status", "share_direction", "expire_state", "message_action_type",
        "message_source", "associated_message_type", "associated_message_range_location", "associated_message_emoji",
        "balloon_bundle_id", "expressive_send_style_id", "ck_sync_state", "sr_ck_sync_state", "destination_caller_id",
        "part_count", "schedule_type", "schedule_state", "index_state", "bia_reference_id", "filter_action",
        "filter_sub_action", "retry_count",
    }
)  # fmt: skip


def has_few_values(column: str) -> bool:
    """Whether a column of `message` holds one of few values, so that most rows have it like others."""
    return column in _FEW or is_flag(column)


CHAT = (
    "guid", "style", "chat_identifier", "service_name", "display_name", "properties", "group_id", "original_group_id",
)  # fmt: skip
