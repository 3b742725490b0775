"""The plain pages of simulators: no script, no request to another host, both languages side by side."""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256
from html import escape
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from smartgov.engines.httpd import Request, Response
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

STYLE = """
:root{--ink:#1d1b18;--soft:#6a645b;--paper:#faf7f1;--card:#fffdf9;--line:#ddd6c9;--accent:#1f6f54;--danger:#a8322a}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:17px/1.7 "Noto Sans TC","Noto Sans CJK TC",system-ui,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:56rem;margin:0 auto;padding:1rem}
body.phone main{max-width:25rem}
header{border-bottom:2px solid var(--accent);margin-bottom:1rem}
h1{font-size:1.35rem;line-height:1.4;margin:.4rem 0}
h2{font-size:1.1rem;margin:1.4rem 0 .4rem}
.en{display:block;color:var(--soft);font-size:.88em}
td .en,th .en,button .en,.status .en{font-size:.82em}
button .en{color:inherit}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.9rem 1rem;margin:.8rem 0}
.note{color:var(--soft);font-size:.85rem}
a{color:var(--accent)}
a:focus-visible,button:focus-visible,.scroll:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;width:100%;background:var(--card)}
th,td{min-width:6rem;text-align:left;padding:.45rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
td.amount,th.amount{text-align:right;white-space:nowrap}
.scroll{overflow-x:auto}
@media(max-width:40rem){
table,tbody,tr,td{display:block}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{border-bottom:1px solid var(--line);padding:.5rem 0}
td,td.amount{border:0;padding:.15rem .6rem;text-align:left}
td::before{content:attr(data-label);display:block;color:var(--soft);font-size:.82em}
}
form{margin:.6rem 0}
button{font:inherit;min-height:2.9rem;padding:.4rem 1.1rem;border-radius:8px;border:1px solid var(--accent);
background:var(--accent);color:#fff;cursor:pointer}
button.quiet{background:transparent;color:var(--danger);border-color:var(--danger)}
.numbers{display:grid;grid-template-columns:repeat(3,1fr);gap:.7rem}
.numbers button{font-size:1.7rem;min-height:4rem}
.wide button{width:100%}
a.button{display:block;text-align:center;padding:.55rem 1.1rem;border-radius:8px;background:var(--accent);color:#fff;
text-decoration:none}
a.button .en{color:inherit}
fieldset{border:1px solid var(--line);border-radius:10px;background:var(--card)}
input{font:inherit;width:100%;min-height:2.9rem;padding:.3rem .7rem;border:1px solid var(--soft);border-radius:8px;
background:#fff;color:var(--ink)}
input[type=password]{max-width:16rem}
input[type=radio],input[type=checkbox]{width:1.3rem;height:1.3rem;min-height:0;padding:0;vertical-align:middle}
dl{margin:0}dt{color:var(--soft);font-size:.85rem}dd{margin:0 0 .5rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit;margin:0}
ul.plain{list-style:none;padding:0;margin:0}
"""
_STYLE_HASH = base64.b64encode(sha256(STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SYNTHETIC = Text("Simulator. Every person and amount here is made up.", "模擬程式。此處的人物與金額均為虛構。")
STOP = Text("Stop reloading this page", "停止自動更新此頁")
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


def cookie_of(request: Request, name: str) -> str:
    """The value of a cookie; empty when there is none, or the header cannot be read."""
    try:
        found = SimpleCookie(request.headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def page(title: Text, body: str, *, refresh: int | None = None, phone: bool = False, status: int = 200) -> Response:
    """A page around `body` (already escaped HTML); `refresh` reloads it after that many seconds.

    The reload is a header, and the page offers to stop it (`?still=1`), so that nobody is hurried (WCAG 2.2.1).
    """
    still = f'<p class="note"><a href="?still=1">{both(STOP)}</a></p>' if refresh else ""
    html = (
        '<!doctype html><html lang="zh-Hant"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title.zh)} · {escape(title.en)}</title><style>{STYLE}</style></head>"
        f'<body class="{"phone" if phone else "wide-page"}"><main><header><h1>{both(title)}</h1></header>{body}{still}'
        f'<p class="note">{both(SYNTHETIC)}</p></main></body></html>'
    )
    response = Response.html(html, status)
    response.headers |= {
        "content-security-policy": _POLICY,
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
    }
    if refresh:
        response.headers["refresh"] = str(refresh)
    return response


def reload_after(request: Request, seconds: int) -> int | None:
    """`seconds`, unless the reader asked the page to keep still."""
    return None if "still" in request.args() else seconds


def both(text: Text) -> str:
    """The sentence in both languages, escaped; said once where both are the same."""
    if text.zh == text.en:
        return escape(text.zh)
    return f'{escape(text.zh)} <span class="en" lang="en">{escape(text.en)}</span>'


def facts(rows: list[tuple[Text, str]]) -> str:
    """A list of names and values; values are already escaped HTML."""
    return "<dl>" + "".join(f"<dt>{both(name)}</dt><dd>{value}</dd>" for name, value in rows) + "</dl>"


def table(heads: list[Text], rows: list[list[str]], empty: Text, *, amounts: frozenset[int] = frozenset()) -> str:
    """A table of escaped cells (reachable by keyboard, as it may scroll), or a sentence that says what will appear."""
    if not rows:
        return f'<p class="card">{both(empty)}</p>'

    def cells(tag: str, parts: list[str]) -> str:
        kind = [' class="amount"' if place in amounts else "" for place in range(len(parts))]
        if tag == "td":  # on a phone each cell stands under its own title
            kind = [f'{k} data-label="{escape(_label(name))}"' for k, name in zip(kind, heads, strict=True)]
        return "<tr>" + "".join(f"<{tag}{k}>{part}</{tag}>" for k, part in zip(kind, parts, strict=True)) + "</tr>"

    head = cells("th", [both(name) for name in heads])
    lines = "".join(cells("td", row) for row in rows)
    label = f"{escape(heads[0].zh)} {escape(heads[0].en)}"
    region = f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
    return f"{region}<table><thead>{head}</thead><tbody>{lines}</tbody></table></div>"


def _label(name: Text) -> str:
    return name.zh if name.zh == name.en else f"{name.zh} {name.en}"


def form_values(request: Request) -> dict[str, str]:
    """The fields of a posted form."""
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def see_other(path: str) -> Response:
    """Answer a post by sending the browser to `path`."""
    return Response(303, {"location": path, "cache-control": "no-store"})


def require_loopback(request: Request) -> None:
    """Refuse names that merely resolve to this machine (DNS rebinding) and forms sent by other sites."""
    name = request.headers.get("host", "").rsplit(":", 1)[0]
    site = request.headers.get("sec-fetch-site", "same-origin")
    if name not in _LOOPBACK or (request.method == "POST" and site not in {"same-origin", "none"}):
        raise Problem(
            "origin-refused",
            403,
            what=Text("This page is only for this machine.", "此頁面僅供本機使用。"),
            todo=Text("Open it as http://localhost.", "請以 http://localhost 開啟。"),
        )


def require_secret(request: Request, secret: str) -> None:
    """Ask for `Authorization: Bearer <secret>`; Problem `caller-unknown` (401) otherwise."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    same = hmac.compare_digest(given.encode(), secret.encode())
    if not (secret and same and scheme.lower() == "bearer"):
        raise Problem(
            "caller-unknown",
            401,
            what=Text("The caller is not known here.", "無法識別呼叫者。"),
            todo=Text("Send the shared secret.", "請附上共用密鑰。"),
        )


def problem_page(problem: Problem, *, phone: bool = False) -> Response:
    """A problem as a page: what happened, why, what to do."""
    parts = [part for part in (problem.why, problem.todo) if part.en]
    body = "".join(f"<p>{both(part)}</p>" for part in parts)
    return page(problem.what, f'<div class="card">{body}</div>', phone=phone, status=problem.status)
