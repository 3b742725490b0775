"""Every verdict on evidence, and every word behind one, is explained to who is no engineer."""

from __future__ import annotations

import re
from pathlib import Path

from smartgov.engines.troad import archive_check, listed, reasons, signed_records, verification, verify_evidence
from smartgov.engines.troad.verification import Verdict

SOURCES = (archive_check, listed, signed_records, verification, verify_evidence)
RAISED = re.compile(
    r'InvalidError\("([a-z-]+)"\)|doubts\.(?:append|add)\("([a-z-]+)"\)|need\(.*"([a-z-]+)"\)$', re.MULTILINE
)
MANUAL = Path(__file__).parents[5] / "docs/manuals/agency/evidence-words.md"


def words() -> set[str]:
    """What the verifiers can say, as their specification and their sources have it."""
    specified = Path(__file__).parents[5] / "docs/protocols/troad-evidence-1.md"
    texts = [Path(source.__file__ or "").read_text() for source in SOURCES]
    found = {next(filter(None, one)) for text in texts for one in RAISED.findall(text)}
    table = specified.read_text().split("| Verdict | Exit | When |")[1].split("\n\n")[0]
    return found | set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", table))


def test_every_word_is_explained_and_no_other() -> None:
    assert len(words()) > 25
    assert {word for word in words() if reasons.meaning(word).en == word} == set()
    assert reasons.meaning("no-such-word").en == "no-such-word"


def test_the_manual_explains_them_in_the_same_words() -> None:
    manual = MANUAL.read_text()
    for word in words():
        told = reasons.meaning(word)
        assert f"| `{word}` | {told.en} {told.zh} |" in manual
    for verdict, text in reasons.VERDICTS.items():
        assert f"{text.en} {text.zh}" in manual, verdict


def test_the_file_that_stands_alone_says_the_same_of_each_verdict() -> None:
    assert {Verdict(verify_evidence.STATUS[name]): text for name, text in verify_evidence.MEANS.items()} == {
        verdict: text.en for verdict, text in reasons.VERDICTS.items()
    }
