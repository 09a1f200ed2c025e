"""What an auditor learns and what his audit shows, in sentences for `words`."""

from __future__ import annotations

from collections.abc import Iterator

from tandem.contract.value import Contract

Both = tuple[str, str]

NAME: Both = ("auditor", "审计方")
CRAFTED = 0.01
"""Share of crafted rows for which the chance of finding them is given."""


def _both(en: str, zh: str) -> Both:
    return (en, zh)


def learns(contract: Contract) -> Iterator[Both]:
    """Yield what the auditor learns."""
    auditor = contract.auditor
    if auditor is None:
        return
    rows = f"{auditor.rows:,}"
    if contract.measurement is not None:
        yield _both(
            en=f"if he asks: of at most {rows} persons of the roster, drawn at random and known to him by position alone, the group and "
            "every outcome that the bank sealed",
            zh=f"若其提出：名册中随机抽取的至多 {rows} 人（仅知其位置）的组别，以及银行密封的各项结果",
        )
    else:
        yield _both(
            en=f"if he asks: of at most {rows} persons of the roster, drawn at random and known to him by position alone, what the bank "
            "sealed of them in every pass: whether they train, their label, the bank's score and own columns",
            zh=f"若其提出：名册中随机抽取的至多 {rows} 人（仅知其位置）在每一轮中被银行密封的内容："
            "是否参与训练、标签、银行的分数和自有各列",
        )
    yield _both(
        en=f'his name is "{auditor.name}"; he signs with key {auditor.signing_key}',
        zh=f"其名称为“{auditor.name}”，签名公钥 {auditor.signing_key}",
    )


def limits(contract: Contract) -> Iterator[Both]:
    """Yield what an audit does not show, and what it may cost."""
    auditor = contract.auditor
    if auditor is None:
        return
    found = 1.0 - auditor.missed(CRAFTED)
    yield _both(  # S8
        en=f"An audit prevents nothing; it finds rows that cannot be an honest bank's, afterwards: {auditor.rows:,} rows find a bank that "
        f"crafted {CRAFTED:.0%} of them in {found:.1%} of cases, and one that crafted a single row among 100,000 in "
        f"{1.0 - auditor.missed(1e-5):.1%}. A false label in a row of honest form is not found.",
        zh=f"审计不能防止作弊，只能事后发现诚实银行不可能给出的行：抽查 {auditor.rows:,} 行，若 {CRAFTED:.0%} 的行系伪造，"
        f"发现概率为 {found:.1%}；若 100,000 行中只伪造一行，则为 {1.0 - auditor.missed(1e-5):.1%}。形式正常而标签不实的行不会被发现。",
    )
    yield _both(
        en="The auditor and the telco together know by name the persons whose rows were opened, and so their labels or outcomes.",
        zh="审计方与运营商合谋，即可知道被抽查者是谁，从而得知其标签或结果。",
    )


def unshown(contract: Contract) -> Both:
    """Return whether anything shows rows that a bank crafted: the end of a sentence."""
    if contract.auditor is None:
        return _both("nothing here prevents or shows that", "本合约既不能防止也不能发现")
    return _both("nothing here prevents that, and an audit can show crafted rows alone", "本合约不能防止；审计也只能发现伪造的行")
