"""What a contract's noise means, in sentences for `words`: its size in rows, what it covers, and what it does not."""

from __future__ import annotations

from collections.abc import Iterator

from tandem.contract.value import BANK, Contract

Both = tuple[str, str]


def _both(en: str, zh: str) -> Both:
    return (en, zh)


def size(contract: Contract) -> Iterator[tuple[Both, Both]]:
    """Yield the row that tells how large the noise is; nothing where there is none."""
    layout, noise = contract.layout, contract.noise
    if not layout.epsilon or contract.kind != "training":
        return
    spent = f"epsilon {layout.epsilon}, delta {layout.delta}"
    if noise is None:
        yield ("noise", "噪声"), (f"{spent}; its size follows from the telco's variables", f"{spent}；大小取决于运营商的变量数")
        return
    rows, pairs = f"{noise.spread('rows'):.0f}", f"{noise.spread('pairs'):.0f}"
    yield ("noise", "噪声"), (
        f"{spent} over {contract.jobs} jobs: a count of a bin is off by about {rows} rows, a count of a pair of bins by about {pairs}",
        f"{contract.jobs} 次任务合计 {spent}：每箱计数偏差约 {rows} 行，每个两两分箱计数偏差约 {pairs} 行",
    )


def covered(contract: Contract) -> Iterator[Both]:
    """Yield what the noise covers and what it does not."""
    if not contract.layout.epsilon or contract.kind != "training":
        return
    if contract.noise is not None:
        rows = f"{contract.noise.spread('rows'):.0f}"
        yield (
            f"A bin's count of rows is off by about {rows}; bads, WoE and coefficients are off likewise.",
            f"每箱人数偏差约 {rows}，坏样本数、WoE 和系数亦然。",
        )
    yield _both(
        en="Noise covers what whoever solves is told: it would be nearly as likely if one person's telco columns were any others. It does "
        "not cover the scores that the bank reads, the roster, how many bins there are and where they are cut, other contracts about the "
        "same people, or sums of a bank that seals numbers out of their range. The model is of one pass, and of the bank's own score in "
        "place of its columns.",
        zh="噪声覆盖求解方得知的内容：即使某一人的运营商各列换成任何其他值，其所见的可能性也相差不大。噪声不覆盖：银行读到的分数、名册、"
        "箱数和切点、关于同一批人的其他合约，以及银行密封越界数值时的合计。模型只训练一轮，并以银行自己的分数代替其各列。",
    )
    if contract.solver == BANK:
        yield (
            "The bank solves for itself, and the scores that it reads tell it more of a person than noise on totals hides.",
            "银行自行求解，而它读到的分数对个人的透露多于合计上的噪声所能掩盖的。",
        )
