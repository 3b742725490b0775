"""Test set-up shared by all packages: a home of its own for each run, and no sockets unless a test says so."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("SMARTGOV_HOME", tempfile.mkdtemp(prefix="smartgov-test-"))
