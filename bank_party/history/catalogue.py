"""The bank's variables, one entry each: to add one, add an entry. Each is an expression over rows of one customer that lie before as_of.

What the bank keeps without dates (tier, region, credit limit) is as its tables say when they are read: there is no history to go back to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Variable:
    """sql: an aggregate over its family's rows. kind: how it is written. unit and meaning as `--list` prints them."""

    name: str
    kind: Literal["BIGINT", "DOUBLE", "VARCHAR"]
    unit: str
    meaning: str
    chinese: str
    sql: str
    zero: bool = False
    """Nothing on record counts as 0; otherwise the value is missing."""


@dataclass(frozen=True)
class Family:
    """Variables that read the same rows. source: a relation with customer_id (sql/known.sql, sql/dormant.sql)."""

    name: str
    source: str
    variables: tuple[Variable, ...]


_AS_OF = "getvariable('as_of')"
_DORMANT = "getvariable('dormant_months')"

FAMILIES = (
    Family("payments", "known_use", (
        Variable("past_payments", "BIGINT", "payments", "card payments on record", "历史刷卡次数", "sum(payments)", zero=True),
        Variable("past_amount", "DOUBLE", "yuan", "amount of card payments on record", "历史刷卡金额", "round(sum(amount), 2)", zero=True),
        Variable("past_payments_12m", "BIGINT", "payments", "card payments in the last 12 months", "近12月刷卡次数",
                 "sum(payments) FILTER (months_ago <= 12)", zero=True),
        Variable("past_amount_12m", "DOUBLE", "yuan", "amount of card payments in the last 12 months", "近12月刷卡金额",
                 "round(sum(amount) FILTER (months_ago <= 12), 2)", zero=True),
        Variable("past_months", "BIGINT", "months", "months with a card payment", "有刷卡的月数", "count(DISTINCT months_ago)", zero=True),
        Variable("past_payment_mean", "DOUBLE", "yuan", "mean amount of a card payment; missing where there was none", "笔均刷卡金额",
                 "round(sum(amount) / sum(payments), 2)"),
    )),
    Family("idleness", "dormant LEFT JOIN use_began ON true", (
        Variable("months_idle", "BIGINT", "months",
                 "months since the dormant card's last payment; without one on record, since its issue or since records begin",
                 "休眠月数", f"any_value(date_diff('month', coalesce(last_paid, greatest(issued_on, use_began)), {_AS_OF}))"),
        Variable("never_paid", "BIGINT", "0, 1", "no payment with the dormant card on record", "从未刷卡",
                 "any_value(CAST(last_paid IS NULL AS TINYINT))"),
    )),
    Family("card", "dormant", (
        Variable("product", "VARCHAR", "level", "product of the dormant card", "卡产品", "any_value(product)"),
        Variable("card_age", "BIGINT", "months", "months since the dormant card was issued", "卡龄",
                 f"any_value(date_diff('month', issued_on, {_AS_OF}))"),
        Variable("credit_limit", "DOUBLE", "yuan", "the dormant card's credit limit", "信用额度", "any_value(credit_limit)"),
    )),
    Family("cards", "known_cards LEFT JOIN used_lately USING (card_id)", (
        Variable("open_cards", "BIGINT", "cards", "cards that are open", "在用卡数", "count(*) FILTER (open)"),
        Variable("payments_in_use", "BIGINT", "payments", "payments with other cards while the dormant one was idle", "其他卡近期刷卡次数",
                 "sum(lately)", zero=True),
    )),
    Family("balance", "known_balances", (
        Variable("debit_balance", "DOUBLE", "yuan", "debit balance of the last month on record", "借记卡余额",
                 "round(arg_min(debit_balance, months_ago), 2)"),
        Variable("debit_balance_6m", "DOUBLE", "yuan", "mean debit balance of the last 6 months", "近6月平均借记卡余额",
                 "round(avg(debit_balance) FILTER (months_ago <= 6), 2)"),
        Variable("debit_trend_6m", "DOUBLE", "yuan a month", "slope of the debit balance over the last 6 months", "近6月借记卡余额趋势",
                 "round(regr_slope(debit_balance, -months_ago) FILTER (months_ago <= 6), 2)"),
    )),
    Family("own use", "known_channels", (
        Variable("own_use_3m", "BIGINT", "times", "logins, transfers and wealth purchases at the bank in the last 3 months",
                 "近3月行内互联网金融使用次数", "sum(logins + transfers + wealth_purchases) FILTER (months_ago <= 3)", zero=True),
        Variable("own_logins_6m", "BIGINT", "times", "logins in the last 6 months", "近6月登录次数",
                 "sum(logins) FILTER (months_ago <= 6)", zero=True),
        Variable("own_transfers_6m", "BIGINT", "times", "transfers in the last 6 months", "近6月转账次数",
                 "sum(transfers) FILTER (months_ago <= 6)", zero=True),
        Variable("own_purchases_6m", "BIGINT", "times", "wealth purchases in the last 6 months", "近6月理财购买次数",
                 "sum(wealth_purchases) FILTER (months_ago <= 6)", zero=True),
    )),
    Family("person", "known_customers", (
        Variable("age", "BIGINT", "years", "age at as_of, by year of birth", "年龄", f"any_value(year({_AS_OF}) - birth_year)"),
        Variable("gender", "VARCHAR", "level", "gender as the bank has it", "性别", "any_value(gender)"),
        Variable("region", "VARCHAR", "level", "region as the bank has it", "地区", "any_value(region)"),
        Variable("tier", "VARCHAR", "level", "customer tier as the bank has it", "客户等级", "any_value(tier)"),
        Variable("tenure", "BIGINT", "months", "months as a customer", "客龄", f"any_value(date_diff('month', joined_on, {_AS_OF}))"),
    )),
)

SOURCES = f"""
CREATE TEMP VIEW use_began AS SELECT min(month) AS use_began FROM known_use;
CREATE TEMP VIEW used_lately AS
SELECT card_id, sum(payments) AS lately FROM known_use WHERE months_ago <= {_DORMANT} GROUP BY card_id;
"""  # noqa: S608 - constants
"""Relations that two families need beside the known views."""


def select(label: str = "") -> str:
    """Return the SELECT that gives the table: customer_id, phone, variables, and the label's column where one is named."""
    joins, columns = [], []
    for number, family in enumerate(FAMILIES):
        inner = ", ".join(f"{one.sql} AS {one.name}" for one in family.variables)
        grouped = f"SELECT customer_id, {inner} FROM {family.source} GROUP BY customer_id"  # noqa: S608 - the catalogue's own text
        joins.append(f"LEFT JOIN ({grouped}) AS f{number} USING (customer_id)")
        for one in family.variables:
            value = f"coalesce({one.name}, 0)" if one.zero else one.name
            columns.append(f"CAST({value} AS {one.kind}) AS {one.name}")
    if label:
        joins.append("JOIN outcome USING (customer_id)")
        columns.append(label)
    return f"SELECT customer_id, phone, {', '.join(columns)} FROM people {' '.join(joins)} ORDER BY customer_id"  # noqa: S608 - as above
