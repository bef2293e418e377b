"""Consistency: what in sms.db does not agree with itself, with the files beside it or with the backup's date."""
