"""A small HTTP/1.1 server, a pooled client and a path router on uvloop and httptools.

They exist because the server must see the TLS peer's certificate on every request, which the usual Python servers hide.
"""

from smartgov.engines.httpd.client import Client
from smartgov.engines.httpd.messages import Handler, Request, Response
from smartgov.engines.httpd.router import Router
from smartgov.engines.httpd.runner import run
from smartgov.engines.httpd.server import Server, serve

__all__ = ["Client", "Handler", "Request", "Response", "Router", "Server", "run", "serve"]
