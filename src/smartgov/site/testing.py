"""A pytest plugin (`-p` in pyproject.toml): each run gets a home of its own, before Django reads its settings.

It logs as the product does: structlog's own default draws every traceback with its local variables, which costs
seconds each and would hide what the product writes. Hypothesis asserts no wall-clock time: machines are shared.
"""

from __future__ import annotations

import os
import tempfile

from hypothesis import settings

os.environ.setdefault("SMARTGOV_HOME", tempfile.mkdtemp(prefix="smartgov-test-"))

from smartgov.shared import logs  # settings of the home come first

logs.configure("tests")
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")
