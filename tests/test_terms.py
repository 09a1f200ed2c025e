"""One Chinese term for one thing, on every screen and page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from contracts import unsigned

from bank_party import planning, summary, watching
from bank_party.reports import html
from tandem.audit import telling
from tandem.contract.words import costs, pages
from tandem.ledger.disclosure import WORDS
from tandem.pages import pairs

ROOT = Path(__file__).parents[1]
TERMS = {r"\bhold-?out\b": "留出集", r"\bpooled\b": "合并拟合", r"\bdither": "抖动", r"\bcontracts?\b": "合约"}
ELSEWHERE = re.compile("测试集|验证集|保留集|明文合并|合并模型|扰动|合同(?!一)")
"""What others call them; `拟合同一` is another thing."""
CONTRACTS = [
    unsigned(), unsigned(layout={"se": "exact", "cover": 4, "weights": "open"}), unsigned(layout={"solver": "bank"}, coordinator=None),
]
SHOWN = [path for party in ("tandem", "bank_party", "telco_party", "coordinator") for path in (ROOT / party).rglob("*.*")]
SHOWN = [path for path in SHOWN if path.suffix in {".py", ".toml", ".j2"}]
SHOWN += [ROOT / "README.zh-CN.md", *sorted((ROOT / "docs" / "guide" / "zh").glob("*.md"))]


def said():
    """Yield everything that is said in both languages."""
    for path in (html.WORDS, telling.WORDS):
        yield from pairs(path).values()
    for words in (summary._WORDS, planning._WORDS, watching._WORDS):
        yield from ((words["en"][key], words["zh"][key]) for key in words["en"])
    for contract in CONTRACTS:
        for english, chinese in zip(pages(contract), pages(contract, "zh"), strict=True):
            yield from ((" ".join(one), " ".join(other)) for one, other in zip(english.rows, chinese.rows, strict=True))
        yield from zip(costs(contract), costs(contract, "zh"), strict=True)
    yield from WORDS.values()


@pytest.mark.parametrize(("english", "chinese"), TERMS.items())
def test_a_term_has_its_word_wherever_it_is_said(english, chinese):
    spoken = [both for both in said() if re.search(english, re.sub(r"\{.*?\}", "", both[0]), re.IGNORECASE)]
    assert spoken
    assert [both for both in spoken if chinese not in both[1]] == []


def test_no_screen_and_no_page_has_another_word_for_it():
    found = {str(path.relative_to(ROOT)): ELSEWHERE.findall(path.read_text(encoding="utf-8")) for path in SHOWN}
    assert len(found) > 100
    assert {path: words for path, words in found.items() if words} == {}
