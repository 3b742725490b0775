"""A browser without JavaScript: cookies, redirects, links and forms. Proves that pages work without script."""

from __future__ import annotations

import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """A form as a reader without script can send it."""

    action: str
    method: str
    values: dict[str, list[str]] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # name, value, words
    files: list[str] = field(default_factory=list)
    labels: dict[tuple[str, str], str] = field(default_factory=dict)  # words beside a radio or check box

    def choice(self, name: str, *parts: str) -> str:
        """The value of the choice `name` whose label has all `parts`."""
        for (field_name, value), words in self.labels.items():
            if field_name == name and all(part in words for part in parts):
                return value
        raise AssertionError(f"no choice {name} with {parts}: {self.labels}")

    def has(self, name: str) -> bool:
        """Whether the form has a field of this name."""
        return name in self.values or name in self.choices


@dataclass
class Page:
    """What came back."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes
    forms: list[Form]
    links: list[tuple[str, str]]
    text: str

    def form_with(self, field_name: str) -> Form:
        """The form that has `field_name` (or a button of that name)."""
        for form in self.forms:
            if form.has(field_name) or any(name == field_name for name, _, _ in form.buttons):
                return form
        raise AssertionError(
            f"{self.url} has no form with {field_name}: {[list(f.values) for f in self.forms]}\n{self.text[:800]}"
        )

    def form_to(self, part: str) -> Form:
        """The form whose action contains `part`."""
        for form in self.forms:
            if part in form.action:
                return form
        raise AssertionError(f"{self.url} has no form to {part}: {[f.action for f in self.forms]}\n{self.text[:800]}")

    def link(self, part: str) -> str:
        """The address of the first link whose address or words contain `part`."""
        for href, words in self.links:
            if part in href or part in words:
                return href
        raise AssertionError(f"{self.url} has no link {part}: {self.links}")


class PlainBrowser:
    """One person's browser."""

    def __init__(self, origin: str, language: str = "en") -> None:
        self.origin = origin
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.opener.addheaders = [("Accept-Language", language), ("User-Agent", "plain")]
        self.page: Page

    def get(self, url: str) -> Page:
        """Open an address (relative ones on our origin, or on the page at hand)."""
        return self._open(urllib.request.Request(self._absolute(url)))

    def submit(self, form: Form, button: str | tuple[str, str] | None = None, **values: str | list[str]) -> Page:
        """Send `form` with `values` filled in, pressing the button of that name (and value)."""
        data = {name: list(given) for name, given in form.values.items()}
        for name, given in values.items():
            data[name] = [given] if isinstance(given, str) else given
        for name, value, _ in form.buttons:
            if button in (name, (name, value)):
                data[name] = [value]
                break
        encoded = urllib.parse.urlencode([(name, value) for name, many in data.items() for value in many])
        url = self._absolute(form.action or self.page.url)
        if form.method == "get":
            return self.get(f"{url}?{encoded}")
        request = urllib.request.Request(
            url, encoded.encode(), {"Referer": self.page.url, "Origin": self._origin_of(url)}
        )
        return self._open(request)

    def upload(self, form: Form, name: str, filename: str, content: bytes, **values: str) -> Page:
        """Send `form` with a file, as multipart/form-data (RFC 7578)."""
        boundary = "smartgov-journey"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in ({key: many[0] for key, many in form.values.items() if many} | values).items()
            if key != name
        ]
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        parts.append(f"{head}Content-Type: application/pdf\r\n\r\n".encode() + content + b"\r\n")
        url = self._absolute(form.action or self.page.url)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Referer": self.page.url,
            "Origin": self._origin_of(url),
        }
        return self._open(urllib.request.Request(url, b"".join(parts) + f"--{boundary}--\r\n".encode(), headers))

    def _open(self, request: urllib.request.Request) -> Page:
        try:
            with self.opener.open(request, timeout=60) as answer:
                body, status, headers, url = answer.read(), answer.status, dict(answer.headers), answer.geturl()
        except urllib.error.HTTPError as error:
            body, status, headers, url = error.read(), error.code, dict(error.headers), error.url or request.full_url
        reader = _Reader()
        headers = {name.lower(): value for name, value in headers.items()}
        if "html" in headers.get("content-type", ""):
            reader.feed(body.decode())
        self.page = Page(url, status, headers, body, reader.forms, reader.links, " ".join(reader.words))
        return self.page

    def _absolute(self, url: str) -> str:
        return urllib.parse.urljoin(self.page.url if hasattr(self, "page") else self.origin, url)

    @staticmethod
    def _origin_of(url: str) -> str:
        parts = urllib.parse.urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._select: str | None = None
        self._textarea: str | None = None
        self._button: list[str] | None = None
        self._href: str | None = None
        self._href_words: list[str] = []
        self._silent = 0
        self._labelled: tuple[Form, str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("script", "style", "title"):
            self._silent += 1
        elif tag == "label":
            self._labelled = None
        elif tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        elif tag == "a" and "href" in given:
            self._href, self._href_words = given["href"], []
        elif self._form is not None:
            self._field(tag, given)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        assert self._form is not None
        name = given.get("name", "")
        if tag == "button" and "disabled" not in given:
            self._button = [name, given.get("value", "")]
            self._form.buttons.append((name, given.get("value", ""), ""))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            self._form.choices.setdefault(self._select, []).append(given.get("value", ""))
            if "selected" in given:
                self._form.values[self._select] = [given.get("value", "")]
        elif tag == "textarea":
            self._textarea = name
            self._form.values[name] = [""]
        elif tag == "input" and name and "disabled" not in given:
            self._input(name, given)

    def _input(self, name: str, given: dict[str, str]) -> None:
        assert self._form is not None
        kind = given.get("type", "text")
        if kind in ("radio", "checkbox"):
            self._form.choices.setdefault(name, []).append(given.get("value", "on"))
            self._labelled = (self._form, name, given.get("value", "on"))
            if "checked" in given:
                self._form.values.setdefault(name, []).append(given.get("value", "on"))
        elif kind == "file":
            self._form.files.append(name)
        elif kind == "submit":
            self._form.buttons.append((name, given.get("value", ""), given.get("value", "")))
        else:
            self._form.values.setdefault(name, []).append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "title"):
            self._silent -= 1
        elif tag == "label":
            self._labelled = None
        elif tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._textarea = None
        elif tag == "button":
            self._button = None
        elif tag == "a" and self._href is not None:
            self.links.append((self._href, " ".join(self._href_words).strip()))
            self._href = None

    def handle_data(self, data: str) -> None:
        if self._silent or not data.strip():
            return
        words = " ".join(data.split())
        self.words.append(words)
        if self._href is not None:
            self._href_words.append(words)
        if self._labelled is not None:
            form, name, value = self._labelled
            form.labels[name, value] = f"{form.labels.get((name, value), '')} {words}".strip()
        if self._textarea is not None and self._form is not None:
            self._form.values[self._textarea] = [data]
        if self._button is not None and self._form is not None:
            name, value, known = self._form.buttons[-1]
            self._form.buttons[-1] = (name, value, f"{known} {words}".strip())
