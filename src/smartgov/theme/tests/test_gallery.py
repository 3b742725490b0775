"""The gallery opens in both languages and both densities."""

from __future__ import annotations

import pytest
from django.test import Client

PAGES = ["/theme/gallery", "/theme/gallery?as=officer", "/theme/gallery/question", "/theme/gallery/problem"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_page_in_chinese(client: Client, path: str) -> None:
    answer = client.get(path, headers={"accept-language": "zh-TW"})
    assert answer.status_code == 200
    assert '<html lang="zh-Hant-TW"' in answer.text
    assert "智慧政府" in answer.text


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_page_in_english_has_no_chinese_but_names(client: Client, path: str) -> None:
    answer = client.get(path, headers={"accept-language": "en"})
    assert '<html lang="en"' in answer.text
    # The switch of language, and the names that a register knows in Chinese only.
    known = ("繁體中文", "歐陽美麗．瑪麗亞．古力古力", "歐陽安安", "林小美", "陳大文")
    text = answer.text
    for name in known:
        text = text.replace(name, "")
    assert not [character for character in text if "\u4e00" <= character <= "\u9fff"]
