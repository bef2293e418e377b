"""sms.db and chat.db: the one big artifact, read row by row with everything that hangs on a row."""
