"""Pseudonyms by a keyed one-way function: HMAC-SHA-256 (RFC 2104) per project, domain and key.

A pseudonym reads `k7q3f2.` (the id of its key) and 32 characters, 160 bits in base 32: among 23.4 million people the
chance of any two sharing one is below 10^-33. The same value in the same project, domain and key gives the same
pseudonym; in another project an unrelated one. A plain hash would not do: there are only 5.2 * 10^8 national ids, a
minute's work to try. Only the holder of the key file can try candidates, which is what `resolve` does.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Iterable
from hashlib import sha256

from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.keyring import ID_LENGTH, KeyRing
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

_DIGEST = 20  # bytes kept of the 32: four groups of 40 bits, eight characters each
LENGTH = ID_LENGTH + 1 + _DIGEST * 8 // 5
_ALPHABET = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", dtype=np.uint8)
_AT_ONCE = 1_000_000  # values held as Python objects at a time


def pseudonyms(
    values: pa.Array | pa.ChunkedArray, ring: KeyRing, domain: str, key_id: str | None = None, *, first_row: int = 0
) -> pa.Array:
    """A pseudonym for each value (text or whole numbers), under the active key or `key_id`.

    Fails closed: a NULL, an empty value, or one that is not in its normal form (NFC, no outer spaces), because the same
    person written two ways would become two. The Problem names the row (counted from `first_row`), never the value.
    """
    flat = _flat(values, first_row)
    encoded = pc.dictionary_encode(flat)
    prefix = (ring.active.id if key_id is None else key_id).encode() + b"."
    written = [pa.array([], pa.string())]
    for start in range(0, len(encoded.dictionary), _AT_ONCE):
        part = [str(value).encode() for value in encoded.dictionary.slice(start, _AT_ONCE).to_pylist()]
        written.append(_written(keyed(part, ring, "pseudonym", domain, key_id), prefix))
    return pc.take(pa.chunked_array(written), encoded.indices).combine_chunks()


def keyed(messages: Iterable[bytes], ring: KeyRing, use: str, domain: str, key_id: str | None = None) -> np.ndarray:
    """HMAC-SHA-256 of each message under the key of this use and domain: an array (n, 32) of bytes."""
    start = hmac.new(ring.derive(use, domain, key_id), digestmod=sha256)
    digests = []
    for message in messages:
        mac = start.copy()  # the two key blocks are hashed once, not for every row
        mac.update(message)
        digests.append(mac.digest())
    return np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, 32)


def resolve(given: Iterable[str], candidates: pa.Array | pa.ChunkedArray, ring: KeyRing, domain: str) -> dict[str, str]:
    """Which of `candidates` each pseudonym stands for, whatever key of this project made it; unmatched are left out.

    The only way back: the holder of the keys tries the values they hold in the source. Problem `pseudonym-malformed`,
    `key-unknown` (another project's) or `key-destroyed`.
    """
    wanted = set(given)
    found: dict[str, str] = {}
    distinct = pc.unique(_flat(candidates))
    for key_id in sorted({_key_of(pseudonym) for pseudonym in wanted}):
        made = pseudonyms(distinct, ring, domain, ring.key(key_id).id)
        pairs = zip(made.to_pylist(), distinct.to_pylist(), strict=True)
        found |= {pseudonym: str(value) for pseudonym, value in pairs if pseudonym in wanted}
    return found


def bridge(
    values: pa.Array | pa.ChunkedArray, ring: KeyRing, domain: str, before: str, after: str | None = None
) -> pa.Table:
    """Columns `before` and `after`: old pseudonyms beside new ones, to carry a project's own tables over a rotation.

    It is as sensitive as the keys: with it, releases made before and after can be joined.
    """
    distinct = pc.unique(_flat(values))
    columns = {
        "before": pseudonyms(distinct, ring, domain, ring.key(before).id),
        "after": pseudonyms(distinct, ring, domain, after),
    }
    return pa.table(columns)


def _key_of(pseudonym: str) -> str:
    key_id, dot, _ = pseudonym.partition(".")
    if len(pseudonym) != LENGTH or not dot or len(key_id) != ID_LENGTH:
        raise Problem(
            "pseudonym-malformed",
            422,
            what=Text("This is not a pseudonym of ours.", "這不是本系統的假名。"),
            why=Text("It lacks the key's id or has another length.", "缺少金鑰代號或長度不符。"),
            todo=Text("Copy it whole.", "請完整複製。"),
        )
    return key_id


def _written(digests: np.ndarray, prefix: bytes) -> pa.Array:
    b = digests[:, :_DIGEST].reshape(-1, 5).T  # base 32 (RFC 4648): five bytes are eight letters
    letters = np.empty((b.shape[1], 8), dtype=np.uint8)
    letters[:, 0], letters[:, 1] = b[0] >> 3, (b[0] & 7) << 2 | b[1] >> 6
    letters[:, 2], letters[:, 3] = b[1] >> 1 & 31, (b[1] & 1) << 4 | b[2] >> 4
    letters[:, 4], letters[:, 5] = (b[2] & 15) << 1 | b[3] >> 7, b[3] >> 2 & 31
    letters[:, 6], letters[:, 7] = (b[3] & 3) << 3 | b[4] >> 5, b[4] & 31
    lines = np.empty((len(digests), LENGTH), dtype=np.uint8)
    lines[:, : len(prefix)] = np.frombuffer(prefix, dtype=np.uint8)
    lines[:, len(prefix) :] = _ALPHABET[letters].reshape(len(digests), _DIGEST * 8 // 5)
    offsets = np.arange(0, (len(digests) + 1) * LENGTH, LENGTH, dtype=np.int64)
    return pa.LargeStringArray.from_buffers(len(digests), pa.py_buffer(offsets), pa.py_buffer(lines)).cast(pa.string())


def normal(values: pa.Array) -> pa.Array:
    """Which values can have a pseudonym: there, not empty, in Unicode's normal form C, without outer spaces."""
    if pa.types.is_integer(values.type):
        return pc.is_valid(values)
    encoded = pc.dictionary_encode(values)
    fit = [
        value is not None and value == value.strip() != "" and unicodedata.is_normalized("NFC", value)
        for value in encoded.dictionary.to_pylist()
    ]
    return pc.take(pa.array(fit, pa.bool_()), encoded.indices)


def _flat(values: pa.Array | pa.ChunkedArray, first_row: int = 0) -> pa.Array:
    flat = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(flat, pa.ChunkedArray):  # combine_chunks keeps very long text in several
        flat = pa.concat_arrays([chunk.cast(pa.large_string()) for chunk in flat.chunks])
    if pa.types.is_dictionary(flat.type):
        flat = flat.dictionary_decode()
    if not (pa.types.is_string(flat.type) or pa.types.is_large_string(flat.type) or pa.types.is_integer(flat.type)):
        raise _refused(
            None, f"its type is {flat.type}, not text or whole numbers", f"型別為 {flat.type}，應為文字或整數"
        )
    if flat.null_count:
        raise _refused(first_row + pc.index(pc.is_null(flat), True).as_py(), "a value is missing", "缺值")
    if not pa.types.is_integer(flat.type):
        _refuse_unnormal(flat, first_row)
    return flat


def _refuse_unnormal(flat: pa.Array, first_row: int) -> None:
    trimmed = pc.utf8_trim_whitespace(flat)
    spaced = pc.or_(pc.not_equal(trimmed, flat), pc.equal(pc.utf8_length(flat), 0))
    if (row := pc.index(spaced, True).as_py()) >= 0:
        raise _refused(first_row + row, "a value is empty or has spaces around it", "值為空白或前後有空格")
    if not pc.all(pc.string_is_ascii(flat), min_count=0).as_py():
        for row, value in enumerate(flat.to_pylist(), first_row):
            if not unicodedata.is_normalized("NFC", value):
                raise _refused(row, "a value is not in Unicode's normal form C", "值不符 Unicode 正規形式 C")


def _refused(row: int | None, why_en: str, why_zh: str) -> Problem:
    where = Text("", "") if row is None else Text(f"Row {row + 1}: ", f"第 {row + 1} 列：")
    return Problem(
        "pseudonym-refused",
        422,
        what=Text("The column cannot be pseudonymised.", "此欄無法假名化。"),
        why=Text(f"{where.en}{why_en}.", f"{where.zh}{why_zh}。"),
        todo=Text("Clean the column first, so that one person has one value.", "請先清理該欄，使一人僅有一值。"),
        **({} if row is None else {"row": row + 1}),
    )
