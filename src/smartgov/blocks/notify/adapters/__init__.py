"""Ways to hand a message on."""
