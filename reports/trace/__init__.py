"""Trace: a record's way back, station by station, each digest beside the one that is computed now."""
