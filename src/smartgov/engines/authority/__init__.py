"""A certification authority as a process (`python -m smartgov.engines.authority --home DIR`), and its client."""

from smartgov.engines.authority.client import Client
from smartgov.engines.authority.server import Door

__all__ = ["Client", "Door"]
