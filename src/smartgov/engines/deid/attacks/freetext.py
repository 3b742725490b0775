"""Free text: names, ids, phones and addresses that somebody typed into a remark, which no class protects.

Every text of the release is read after NFKC (full-width digits are digits). National ids and resident certificates must
pass their checksum, cards the Luhn test, so that any ten characters do not raise an alarm. Names are looked for as the
source has them in its identifying columns, and as a surname with a title. What is found is counted, never shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable

from smartgov.engines.deid.attacks.target import Finding, Target
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.relations import columns, opened, quoted
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id

with analysis():
    import duckdb
    import pyarrow as pa

TEXTS = 500_000
_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
_WEIGHTS = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
_RESIDENT = re.compile(r"(?<![A-Za-z0-9])[A-Z][89A-D]\d{8}(?![A-Za-z0-9])")
_MOBILE = re.compile(r"(?<!\d)(?:\+?886[- ]?9|09)\d{2}[- ]?\d{3}[- ]?\d{3}(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)\(?0[2-8]\d{0,2}\)?[- ]\d{3,4}[- ]?\d{4}(?!\d)")
_MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_CARD = re.compile(r"(?<!\d)(?:\d[ -]?){15}\d(?!\d)")
_ADDRESS = re.compile(
    r"[一-鿿]{1,6}(?:路|街|大道)(?:[一二三四五六七八九十\d]+段)?(?:\d+巷)?(?:\d+弄)?\d+(?:之\d+)?號|"
    r"[一-鿿]{1,3}[縣市][一-鿿]{1,4}[鄉鎮市區][一-鿿\d]{0,12}\d+(?:之\d+)?號"
)
# The hundred or so surnames that nearly everybody in Taiwan has; two-character ones first.
_SURNAMES = (
    "歐陽|司馬|諸葛|上官|張簡|[陳林黃張李王吳劉蔡楊許鄭謝郭洪曾邱廖賴周徐蘇葉莊呂江何蕭羅高潘簡朱鍾游彭詹胡施沈余盧梁趙顏柯翁魏孫戴范方"
    "宋鄧杜傅侯曹薛丁卓馬阮董唐溫藍蔣石古紀姚連馮歐程湯田康姜汪白鄒尤巫鐘黎涂龔嚴韓袁金童陸夏柳凃邵]"
)
_TITLED = re.compile(rf"(?:{_SURNAMES})[一-鿿]{{1,2}}(?:先生|小姐|女士|太太|君|同學|老師|醫師|護理師|社工|里長|主任)")
_NAME = (2, 20)


def run(target: Target) -> list[Finding]:
    """One finding: how many texts of the release hold something that identifies a person, by kind and column."""
    found: Counter[tuple[str, str]] = Counter()
    with opened(r=target.release, s=target.source) as db:
        texts = [name for name, kind in columns(db, "r").items() if kind == "VARCHAR" and name not in target.quasi]
        told = {name: _texts(db, name) for name in texts}
        known = _known(db, target, {text for rows in told.values() for text, _ in rows})
    read = sum(map(len, told.values()))
    for name, rows in told.items():
        for text, times in rows:
            for kind in kinds(text, known):
                found[name, kind] += times
    total = sum(found.values())
    evidence = {
        "columns_read": texts, "texts_read": read, "at_most": TEXTS,
        "found": [{"column": name, "kind": kind, "rows": rows} for (name, kind), rows in sorted(found.items())],
    }  # fmt: skip
    if total:
        where = ", ".join(sorted({name for name, _ in found}))
        what_en = ", ".join(sorted({KINDS[kind].en for _, kind in found}))
        what_zh = "、".join(sorted({KINDS[kind].zh for _, kind in found}))
        sentence = Text(
            f"{total:,} texts in {where} hold personal data: {what_en}.",
            f"「{where}」中有 {total:,} 則文字含個人資料：{what_zh}。",
        )
    else:
        sentence = Text(
            f"No id, phone, address, card or name was found in {read:,} different texts.",
            f"於 {read:,} 則相異文字中未發現證號、電話、地址、卡號或姓名。",
        )
    return [Finding("free text", not total, "high", float(total), 0.0, sentence, evidence)]


def kinds(text: str, known: frozenset[str] = frozenset()) -> set[str]:
    """Which kinds of personal data a text holds; `known` are the identifying values of the source."""
    plain = unicodedata.normalize("NFKC", text)
    found = {kind for kind, finds in _FINDERS.items() if finds(plain)}
    if known and not known.isdisjoint(_pieces(plain)):
        found.add("known")
    return found


def _texts(db: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, int]]:
    """The different texts of a column and how many rows have each."""
    column = quoted(name)
    sql = f"SELECT {column}, count(*) FROM r WHERE length({column}) > 1 GROUP BY 1 LIMIT {TEXTS}"  # noqa: S608 - quoted
    return [(str(text), int(times)) for text, times in db.execute(sql).fetchall()]


def _known(db: duckdb.DuckDBPyConnection, target: Target, texts: set[str]) -> frozenset[str]:
    """Which pieces of the texts are identifying values of the source: asked of the source, not the other way round."""
    pieces = {piece for text in texts for piece in _pieces(unicodedata.normalize("NFKC", text))}
    usable = [piece for piece in pieces if _NAME[0] <= len(piece) <= _NAME[1] and not _is_short_number(piece)]
    if not usable:
        return frozenset()
    db.register("pieces", pa.table({"piece": usable}))
    there = columns(db, "s")
    values: set[str] = set()
    for name in target.identifying:
        if name in there:
            own = f"(SELECT nfc_normalize(CAST({quoted(name)} AS VARCHAR)) AS piece FROM s)"  # noqa: S608 - quoted
            rows = db.execute(f"SELECT piece FROM pieces SEMI JOIN {own} USING (piece)").fetchall()  # noqa: S608 - quoted
            values.update(row[0] for row in rows)
    return frozenset(values)


def _pieces(text: str) -> set[str]:
    """What of a text could be an identifying value: all, its words, every run of 2 to 6 Chinese characters."""
    found = {text, *re.findall(r"[A-Za-z0-9@._+-]+", text)}
    for run_ in re.findall(r"[一-鿿○·]+", text):
        lengths = range(2, min(len(run_), 6) + 1)
        found |= {run_[start : start + length] for length in lengths for start in range(len(run_) - length + 1)}
    return found


def _is_short_number(value: str) -> bool:
    return value.isascii() and (value.isdigit() or len(value) < 4) and len(value) < 6


def _resident(text: str) -> bool:
    """Resident certificates: new form [A-Z][89] as national ids; old form [A-Z][A-D], the letter's last digit."""
    return any(_checks(found) for found in _RESIDENT.findall(text))


def _checks(value: str) -> bool:
    second = str(_LETTERS.index(value[1]) % 10) if value[1].isalpha() else value[1]
    digits = str(_LETTERS.index(value[0]) + 10) + second + value[2:]
    return sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)) % 10 == 0


def _card(text: str) -> bool:
    for found in _CARD.findall(text):
        digits = [int(char) for char in found if char.isdigit()]
        doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
        if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0:
            return True
    return False


def _any(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: bool(pattern.search(text))


def _ids(texts: Iterable[str]) -> bool:
    return any(national_id.is_valid(found) for found in texts)


_FINDERS: dict[str, Callable[[str], bool]] = {
    "national_id": lambda text: _ids(national_id.FINDER.findall(text.upper())),
    "resident_id": lambda text: _resident(text.upper()),
    "phone": lambda text: bool(_MOBILE.search(text) or _LANDLINE.search(text)),
    "mail": _any(_MAIL),
    "card": _card,
    "address": _any(_ADDRESS),
    "name": _any(_TITLED),
}
KINDS = {
    "national_id": Text("national ids", "國民身分證統一編號"),
    "resident_id": Text("resident certificate numbers", "統一證號（居留證號）"),
    "phone": Text("telephone numbers", "電話號碼"),
    "mail": Text("mail addresses", "電子郵件地址"),
    "card": Text("card numbers", "卡號"),
    "address": Text("street addresses", "地址"),
    "name": Text("names", "姓名"),
    "known": Text("identifying values of the source", "來源之直接識別值"),
}
