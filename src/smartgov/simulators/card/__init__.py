"""The helper on a person's own machine: shows what a site asks, takes the PIN, and has the card sign."""
