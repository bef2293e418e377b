"""Paper of custody: the custody form, the draft certificate, the label on the evidence bag."""
