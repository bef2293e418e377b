"""Nanoseconds: a time of sms.db as an SQL expression, in one unit whatever it was written in.

Databases that were upgraded in place hold seconds and nanoseconds in one column; the cut is that of `unit_of`. What is
no integer, and 0, is NULL: "not set".
"""

from __future__ import annotations


def nanoseconds(cell: str) -> str:
    """The SQL expression of the column `cell` in nanoseconds since 2001."""
    return (
        f"CASE WHEN typeof({cell}) <> 'integer' OR {cell} = 0 THEN NULL "
        f"WHEN {cell} BETWEEN -999999999999 AND 999999999999 THEN {cell} * 1000000000 ELSE {cell} END"
    )
