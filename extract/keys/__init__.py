"""From passphrases to keys: derivation, the forms of a passphrase, trying many of them."""
