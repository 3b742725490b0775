"""What other houses' programs use to talk to this platform; it stands on the engines alone, never on a block."""
