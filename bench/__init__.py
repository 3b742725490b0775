"""The figures that we claim: one file each, which verifies its outputs while it measures."""
