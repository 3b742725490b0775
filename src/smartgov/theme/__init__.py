"""The look: tokens, components and templates that every block may extend."""
