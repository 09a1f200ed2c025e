"""What a contract has told of each person, in sentences for `words`: the columns, their levels and bits, and what nothing here shows."""

from __future__ import annotations

from collections.abc import Iterator

from tandem.contract.value import Contract

Both = tuple[str, str]


def _both(en: str, zh: str) -> Both:
    return (en, zh)


def told(contract: Contract) -> Iterator[Both]:
    """Yield a sentence for each told column."""
    for column in contract.tells:
        yield _both(
            f'of each matched customer the level of the telco\'s column "{column.name}": {", ".join(column.levels)}, or none of them; '
            f"{column.bits} bits",
            f"每位匹配客户在运营商“{column.name}”列的档位：{'、'.join(column.levels)}，或均不属于；{column.bits} 比特",
        )


def costs(contract: Contract) -> Iterator[Both]:
    """Yield what telling discloses beyond a score."""
    if contract.tells:
        yield _both(
            f"The telco tells the bank levels of {len(contract.tells)} columns, person by person and in the clear, {contract.told_bits} "
            "bits a person in each job. They are the telco's word: nothing shows that they are true, and the bank can keep what it read.",
            f"运营商逐人以明文告知银行 {len(contract.tells)} 列的档位，每次任务每人 {contract.told_bits} 比特。这只是运营商的说法："
            "没有任何东西能证明其属实；银行可以保留读到的内容。",
        )
