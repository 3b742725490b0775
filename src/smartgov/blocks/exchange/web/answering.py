"""Doors that answer a form on another page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

View = Callable[..., HttpResponseBase]


def answers(page: str, *kept: str) -> Callable[[View], View]:
    """A view that takes a form standing on `page`; `kept` are the parts of the address that both have.

    A refused form is shown at the form's own address. Who comes to it otherwise (the switch of language, a reload from
    the address bar, a bookmark) is led to the page, not told that the address takes no such method.
    """

    def decorate(view: View) -> View:
        @require_http_methods(["GET", "POST"])
        @wraps(view)
        def answer(request: HttpRequest, **parts: Any) -> HttpResponseBase:
            if request.method == "POST":
                return view(request, **parts)
            return redirect(reverse(page, kwargs={name: parts[name] for name in kept}))

        return answer

    return decorate
