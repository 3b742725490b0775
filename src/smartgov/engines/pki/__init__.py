"""Keys, certificates, signed and encrypted tokens, and sealed PDFs: written once, used by every process."""
