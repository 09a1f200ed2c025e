from __future__ import annotations

import html
import re
from contextlib import ExitStack
from dataclasses import replace

import pytest
from contracts import KEYS, unsigned
from ledgers import conversation, honest, stored

from tandem.audit.export import write
from tandem.audit.findings import audit
from tandem.audit.page import render
from tandem.audit.sources import opened
from tandem.audit.telling import WORDS
from tandem.contract import BANK, COORDINATOR, ROLES, TELCO
from tandem.node.ledger_store import Ledger
from tandem.pages import pairs

MADE = "2027-03-01 00:00:00"
TERMS = unsigned()
DIGEST = TERMS.digest.hex()


def page(tmp_path, rows, language="en", *, contracts=(TERMS,), roles=ROLES, sign=True):
    paths = []
    for role in roles:
        ledger = stored(tmp_path / f"{role}.sqlite", rows[role], [(DIGEST, "bits", 14)] if role == TELCO else ())
        paths.append(tmp_path / f"{role}.json")
        with Ledger(ledger) as opened_:
            write(opened_, paths[-1], KEYS[role] if sign else None)
    with ExitStack() as stack:
        sources = [stack.enter_context(opened(path)) for path in paths]
        return render(audit(sources, contracts, compare=len(roles) > 1), language, MADE)


def words_of(text):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text.partition("</style>")[2])).split())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_of_three_that_agree(tmp_path, language):
    text = page(tmp_path, honest(conversation(contract=DIGEST)), language)
    said = words_of(text)
    assert {"en": "The ledgers agree.", "zh": "各方账本一致。"}[language] in said
    assert TERMS.description in said
    assert said.count({"en": "holds, by the key in the contract", "zh": "有效，密钥与合约一致"}[language]) == 3
    assert {"en": "one score a roster row, cover included, coarse in 2 sessions · 14 bits a person in all",
            "zh": "名册每行（含掩护）一个粗化的分数 2 个会话 · 每人合计 14 比特"}[language] in said
    assert {"en": "bits a person telco 14 30", "zh": "每人披露比特 运营商 14 30"}[language] in said
    assert {"en": "bank → telco train Sealed sealed 4 4", "zh": "银行 → 运营商 train Sealed 密封 4 4"}[language] in said


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_names_the_rows_that_differ(tmp_path, language):
    rows = honest(conversation(contract=DIGEST))
    del rows[TELCO][5]
    said = words_of(page(tmp_path, rows, language, roles=(BANK, TELCO), sign=False))
    assert {"en": "The ledgers differ in one row.", "zh": "各方账本有 1 行不一致。"}[language] in said
    assert {"en": "missing at telco, or extra at bank 6 - 2027-02-01 09:00:05 align Query",
            "zh": "运营商缺少，或银行多出 6 - 2027-02-01 09:00:05 align Query"}[language] in said


def test_one_ledger_says_what_it_cannot_show(tmp_path):
    said = words_of(page(tmp_path, honest(conversation(contract=DIGEST)), roles=(TELCO,), contracts=()))
    assert "Only another party's ledger shows that it is complete" in said
    assert "What passed between parties whose ledgers are not here" in said
    assert "its file was not given" in said.lower()
    assert f"holds, by key {KEYS[TELCO].public_key().public_bytes_raw().hex()}" in said
    assert "bank → telco align Query plain - 2" in said
    assert "bank → coordinator" not in said


def test_an_interruption_is_told_apart_on_the_page(tmp_path):
    frames = conversation(1, contract=DIGEST)[:15 + 7]
    rows = honest(frames)
    rows[TELCO].pop()
    said = words_of(page(tmp_path, rows, roles=(BANK, TELCO)))
    assert "The ledgers agree." in said
    assert "did not close: the frame that the bank sent last was never received" in said


def test_the_page_fetches_nothing_and_escapes_what_a_ledger_says(tmp_path):
    rows = honest(conversation(contract=DIGEST))
    for role, at in ((BANK, 6), (TELCO, 6)):
        rows[role][at] = replace(rows[role][at], message="<script>alert(1)</script>", script="<b>")
    text = page(tmp_path, rows, roles=(BANK, TELCO))
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "http:" not in text
    assert "https:" not in text
    assert "default-src 'none'" in text


def test_the_same_audit_gives_the_same_page(tmp_path):
    rows = honest(conversation(contract=DIGEST))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, two = (page(tmp_path / name, rows, sign=False) for name in "ab")
    hide = re.compile(r"exported [\d :-]+")
    assert hide.sub("", one) == hide.sub("", two)


def test_every_word_has_both_languages_with_the_same_blanks():
    blank = re.compile(r"\{(\w+)\}")
    for key, (english, chinese) in pairs(WORDS).items():
        assert english, key
        assert chinese, key
        allowed = {"count", "last"} if key.endswith("_one") else set()
        assert set(blank.findall(english)) ^ set(blank.findall(chinese)) <= allowed, key


def test_a_page_of_a_contract_without_a_coordinator(tmp_path):
    terms = unsigned(layout={"solver": "bank"}, coordinator=None)
    frames = [one for one in conversation(contract=terms.digest.hex()) if COORDINATOR not in one[3:5]]
    said = words_of(page(tmp_path, honest(frames), contracts=(terms,), roles=(BANK, TELCO)))
    assert "The ledgers agree." in said
    assert "coordinator" not in said.partition("Contract")[2]
    assert "What passed between parties whose ledgers are not here" not in said


def test_coordinator_and_bank_alone(tmp_path):
    said = words_of(page(tmp_path, honest(conversation(contract=DIGEST)), roles=(COORDINATOR, BANK)))
    assert "coordinator and bank: no row differs" in said
