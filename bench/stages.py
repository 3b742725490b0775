"""Which function belongs to which stage of an exchange, and the table of CPU by stage that follows from samples.

A sample counts for the innermost function of its stack that is named here: what `json` or `cryptography` do counts for
who called them. What no line names is `other`, shown with its share and the functions that it is made of.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

OTHER = "other"
COMMIT = "commit: write and fsync, in the writing thread"
STAGES: dict[str, tuple[str, ...]] = {
    "read and verify": (
        "troad/provider.py:_verified",
        "troad/provider.py:_read",
        "troad/consumer.py:_read",
        "troad/consumer.py:_verified",
        "troad/local.py:_caller",
        "troad/local.py:handle",
        "troad/peers.py:*",
        "troad/wire.py:read_request",
        "troad/wire.py:read_answer",
        "troad/bodies.py:open_commitment",
        "troad/bodies.py:check_digest",
        "troad/wire.py:holds",
        "troad/batch_signature.py:holds",
        "troad/names.py:*",
        "troad/configuration.py:*",
        "troad/maintenance.py:*",
        "troad/heads.py:refuse_unfit",
    ),
    "authorise": (
        "troad/passage.py:*",
        "troad/rights.py:*",
        "troad/consent_status.py:*",
        "troad/artefacts.py:*",
        "troad/limits.py:*",
        "troad/contract.py:*",
        "troad/idempotency.py:*",
        "troad/snapshot.py:*",
        "troad/terms.py:*",
        "troad/home.py:contract",
    ),
    "commit: rows and statements": (
        "troad/store.py:*",
        "troad/batch.py:*",
        "troad/writer.py:*",
        "troad/records.py:*",
        "troad/keeping.py:*",
        "troad/visibility.py:*",
        "troad/core.py:entry",
        "troad/received.py:*",
        "ledger/appender.py:*",
        "ledger/log.py:*",
        "ledger/merkle.py:*",
        "shared/canonical.py:*",
    ),
    "ask the service": ("troad/passage.py:carry_out", "troad/backend.py:*", "troad/behind.py:*"),
    "cut and hide": (
        "troad/rights.py:cut",
        "troad/rights.py:_only",
        "troad/passage.py:release",
        "troad/reference.py:*",
        "pki/jwe.py:*",
        "troad/consumer.py:_hidden",
        "troad/core.py:pseudonym",
    ),
    "sign": (
        "troad/wire.py:*",
        "troad/bodies.py:*",
        "troad/components.py:*",
        "troad/batch_signature.py:*",
        "troad/core.py:sign",
        "pki/keys.py:*",
        "troad/provider.py:_seal",
    ),
    "send": (
        "troad/consumer.py:*",
        "troad/provider.py:*",
        "troad/xroad.py:*",
        "troad/gateway.py:_peers",
        "troad/gateway.py:_own",
        "troad/gateway.py:_counted",
        "troad/traffic.py:*",
        "troad/core.py:count",
    ),
    "TLS, HTTP, the loop": (
        "httpd/client.py:*",
        "httpd/server.py:*",
        "httpd/rendering.py:*",
        "httpd/taking.py:*",
        "httpd/messages.py:*",
        "httpd/router.py:*",
        "lib/ssl.py:*",
        "asyncio/sslproto.py:*",
        "asyncio/streams.py:*",
        "asyncio/timeouts.py:*",
    ),
    "the gateway beside it: heads, witnesses, comparisons": (
        "troad/heads.py:*",
        "troad/witness.py:*",
        "troad/comparing.py:*",
        "troad/stated.py:*",
        "troad/restoring.py:*",
        "joining/keeper.py:*",
    ),
}
LOOP = ("httpd/runner.py:run", "asyncio/runners.py:run")
"""They are on every stack: only a sample in which nothing else runs, but uvloop's own code, counts for them."""
_BY_FUNCTION = {name: stage for stage, names in STAGES.items() for name in names}


def stage_of(stack: list[str]) -> str:
    """The stage of a stack of `folder/file.py:function`, innermost first: by a function's own line or its file's."""
    if stack[0] in LOOP:
        return "TLS, HTTP, the loop"
    for function in stack:
        whole = function.partition(":")[0] + ":*"
        if found := _BY_FUNCTION.get(function) or _BY_FUNCTION.get(whole):
            return found
    return OTHER


def lines(folder: Path, exchanges: int, *, one_by_one: bool) -> list[str]:
    """The table of what the samplers of some gateways left in the folders of `folder`."""
    micros, others = Counter[str](), Counter[str]()
    for file in sorted(folder.glob("*/stages.json")):
        told = json.loads(file.read_text())
        samples = sum(told["stages"].values())
        for stage, count in told["stages"].items():
            micros[stage] += told["loop_micros"] * count / max(samples, 1)
        for name, count in told["others"].items():
            others[name] += told["loop_micros"] * count / max(samples, 1)
        micros[COMMIT] += told["thread_micros"]
    total, each = sum(micros.values()), max(exchanges, 1)
    if not total:
        return ["no samples: the gateways did not end in order"]
    signed = "one signature a message" if one_by_one else "one signature a commit"
    table = [f"\nCPU by stage, {signed}: {total / each:.0f} us an exchange, all gateways, {exchanges} exchanges"]
    rows = [(9, stage, micros[stage]) for stage in (*STAGES, COMMIT, OTHER)]
    rows += [(12, name, spent) for name, spent in others.most_common(8)]
    return table + [f"{spent / each:>{width}.1f} us {spent / total:>6.1%}  {name}" for width, name, spent in rows]
