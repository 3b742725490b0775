"""A pytest plugin (`-p` in pyproject.toml): each run gets a home of its own, before Django reads its settings."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("SMARTGOV_HOME", tempfile.mkdtemp(prefix="smartgov-test-"))
