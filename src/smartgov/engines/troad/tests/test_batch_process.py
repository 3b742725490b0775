"""Batch signatures between real gateways: used towards those that read them, and only towards those."""

from __future__ import annotations

import asyncio
import base64
from hashlib import sha256
from pathlib import Path

import pytest

from smartgov.engines.troad import batch_signature
from smartgov.engines.troad.tests.country import Country, ask_births

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
ALONE, BATCH = 'tag="troad-v2"', 'tag="troad-v2-batch"'


def tags(country: Country, code: str) -> dict[str, str]:
    """By kind, the tag under which the messages in a gateway's log were signed."""
    return {one["kind"]: one["input"].rpartition(";")[2] for one in country.records(code) if "signature" in one}


def test_a_gateway_that_does_not_read_them_gets_a_signature_a_message(tmp_path: Path) -> None:
    country = Country(tmp_path)
    country.described["hpa"]["gateway"].pop("signatures")
    country.publish()
    country.start()
    try:
        assert ask_births(country.sdk()).status == 200
        for code in ("ris", "hpa"):
            assert tags(country, code) == {"request": ALONE, "answer": BATCH}
    finally:
        country.stop()


def test_messages_that_commit_together_share_a_signature(tmp_path: Path) -> None:
    country = Country(tmp_path)
    country.start()
    bases = [f"base {number}".encode() for number in range(50)]
    try:
        core = country.gateways["ris"].core

        async def burst() -> list[str]:
            entries = [core.entry({"n": number}) for number in range(50)]
            for entry, base in zip(entries, bases, strict=True):
                core.sign(entry, {}, base, sha256(base).digest(), batch=True)
            await asyncio.gather(*(core.store.commit([entry]) for entry in entries))
            return [entry.record["signature"] for entry in entries]

        signatures = country.run(burst())
        assert [one["signature"] for one in country.records("ris")[-50:]] == signatures
    finally:
        country.stop()
    values = [base64.b64decode(one.removeprefix("troad=:").removesuffix(":")) for one in signatures]
    public = core.message_key.public_key()
    holds = batch_signature.holds
    assert all(holds(public, value, sha256(base).digest()) for value, base in zip(values, bases, strict=True))
    assert len({value[-64:] for value in values}) < 30
