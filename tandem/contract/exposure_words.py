"""What scores say of a person's bins, in sentences for `words`: the limit that the telco signs under, and what no limit changes."""

from __future__ import annotations

from collections.abc import Iterator

from tandem.contract.value import Contract

Both = tuple[str, str]


def _both(en: str, zh: str) -> Both:
    return (en, zh)


def limit(contract: Contract) -> Iterator[Both]:
    """Yield the largest share of rows found, where there is one."""
    share = contract.layout.exposure_limit
    if contract.kind != "measurement" and share < 1:
        yield _both(
            f"at most {float(share):.0%} of rows: the telco's node signs only if it predicts that the bank will find no more rows' bins",
            f"至多 {float(share):.0%} 的行：运营商节点只有在预测银行能还原其分箱的行不超过此比例时才签名",
        )


def found(contract: Contract) -> Iterator[Both]:
    """Yield what the scores give away, and which command says how much (S5, S6)."""
    bits = contract.jobs * (contract.job_bits - contract.told_bits)
    if bits:
        yield _both(
            f"The scores that the bank may read, {bits} bits a person, say much about a customer's bins; with few variables the bank "
            "will know most customers' bins. `tandem telco exposure` predicts on the telco's own table the share of rows it will find.",
            f"银行可读的分数（每人 {bits} 比特）足以透露客户所在分箱的许多信息；变量少时，银行将知道大多数客户的分箱。"
            "`tandem telco exposure` 用运营商自己的表预测银行能还原多大比例的行。",
        )
