"""T-Road: the signed, logged exchange between agencies. Wire format, gateway, signed configuration, client."""
