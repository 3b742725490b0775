"""Driving a simulator's handler without a socket, as a program or as a person with a browser."""

import asyncio
import json
import re
from html import unescape
from urllib.parse import urlencode

from smartgov.engines.httpd import Request
from smartgov.engines.httpd.answering import answer


def ask(app, method, path, body=None, **headers):
    """One request; a dict is sent as JSON, bytes as they are."""
    path, _, query = path.partition("?")
    fields = {"host": "localhost:8024"} | {name.replace("_", "-"): value for name, value in headers.items()}
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return asyncio.run(answer(app, Request(method, path, query, fields, raw)))


def post_form(app, path, values, **headers):
    return ask(app, "POST", path, urlencode(values).encode(), **headers)


def hidden(response):
    """The hidden fields of a page's first form."""
    form = response.body.decode().split("</form>")[0]
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)}


def slug(response):
    return json.loads(response.body)["type"].removeprefix("urn:smartgov:problem:")
