"""The mailbox: a mail server that keeps what it gets and shows it."""
