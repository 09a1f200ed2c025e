"""The tables that a study prints when it ends."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bank_party.evaluation import Interval
from bank_party.reports.model import NAMES, Report, iv_band
from bank_party.studies import Looked
from tandem.contract.words import Language, role_name

MOST_VARIABLES = 12
"""Rows of the table of variables; the report has them all."""
_WORDS = {
    "en": {
        "bank_only": "bank only", "joint": "joint", "joint_card": "joint, served card", "pooled": "pooled (rehearsal)", "model": "model",
        "matched": "{matched} of {asked} customers matched ({rate:.1%}); {rows} in the hold-out", "variable": "variable",
        "side": "side", "bins": "bins", "coefficient": "coefficient", "se_approximate": "se (approx.)",
        "se_exact": "se (exact)", "dropped": "left out", "more": "and {} weaker variables: report.html has them",
        "gain": "joint beats bank only by {value:.4f} AUC, 95 % interval {low:.4f} to {high:.4f}",
        "loss": "joint is worse than bank only by {value:.4f} AUC, 95 % interval {low:.4f} to {high:.4f}",
        "not_shown": "a gain over bank only is not shown: {value:.4f} AUC, 95 % interval {low:.4f} to {high:.4f}",
        "ridge": "ridge {:g}, chosen in the first pass",
        "pooled_difference": "largest coefficient difference from the pooled fit: {:.3f} standard errors",
        "pooled_errors": "standard errors are {:.3f} to {:.3f} of the pooled fit's",
    },
    "zh": {
        "bank_only": "仅银行", "joint": "联合", "joint_card": "联合（评分卡）", "pooled": "合并拟合（演练）", "model": "模型",
        "matched": "{asked} 位客户中匹配 {matched} 位（{rate:.1%}）；留出集 {rows} 位", "variable": "变量",
        "side": "来源", "bins": "箱数", "coefficient": "系数", "se_approximate": "标准误（近似）",
        "se_exact": "标准误（精确）", "dropped": "未入选", "more": "另有 {} 个较弱变量，见 report.html",
        "gain": "联合模型比仅银行高 {value:.4f} AUC，95% 区间 {low:.4f} 至 {high:.4f}",
        "loss": "联合模型不如仅银行，差 {value:.4f} AUC，95% 区间 {low:.4f} 至 {high:.4f}",
        "not_shown": "未能证明优于仅银行：{value:.4f} AUC，95% 区间 {low:.4f} 至 {high:.4f}",
        "ridge": "岭系数 {:g}，第一轮中选定",
        "pooled_difference": "与合并拟合的最大系数差：{:.3f} 个标准误",
        "pooled_errors": "标准误为合并拟合的 {:.3f} 至 {:.3f} 倍",
    },
}


def print_summary(console: Console, report: Report, language: Language) -> None:
    """Print match rate, the strongest variables and the models, fit for 80 columns."""
    words = _WORDS[language]
    rate = report.matched / report.asked
    console.print(words["matched"].format(matched=report.matched, asked=report.asked, rate=rate, rows=report.holdout.rows))
    se = words["se_approximate" if report.se_approximate else "se_exact"]
    table = Table(words["variable"], words["side"], words["bins"], "IV", words["coefficient"], se, box=None)
    for one in sorted(report.variables, key=lambda variable: -(variable.iv or 0.0))[:MOST_VARIABLES]:
        fitted = ("", "") if one.coefficient is None else (f"{one.coefficient:.3f}", f"{one.se or 0.0:.3f}")
        iv = "-" if one.iv is None else f"{one.iv:.3f}"
        table.add_row(one.name, role_name(one.side, language), str(one.bins), iv, *(fitted if one.kept else (words["dropped"], "")))
    console.print(table)
    if len(report.variables) > MOST_VARIABLES:
        console.print(words["more"].format(len(report.variables) - MOST_VARIABLES))
    table = Table(words["model"], "AUC", "KS", box=None)
    for name in NAMES:
        if name in report.holdout.scores:
            score = report.holdout.scores[name]
            table.add_row(words[name], _interval(score.auc), _interval(score.ks))
    console.print(table)
    difference = report.holdout.difference
    console.print(words[report.verdict].format(value=difference.value, low=difference.low, high=difference.high))
    if report.ridge_chosen:
        console.print(words["ridge"].format(report.ridge))
    for limit in report.more_limits:
        console.print(f"[yellow]{limit}[/yellow]")
    if report.coefficients_max_se_difference is not None:
        console.print(words["pooled_difference"].format(report.coefficients_max_se_difference))
    if report.se_ratios is not None:
        console.print(words["pooled_errors"].format(*report.se_ratios))


def print_claims(console: Console, claims: Sequence[tuple[str, str, str]]) -> None:
    """Print what a campaign brought: a claim a group (kind, text, verdict), each on lines of its own."""
    for _, text, verdict in claims:
        console.print(text, style="bold", markup=False, highlight=False)
        console.print(verdict, markup=False, highlight=False)


def print_look(console: Console, looked: Looked) -> None:
    """Print match rate and released statistics, strongest variable first."""
    console.print(f"{looked.matched} of {looked.asked} customers matched ({looked.matched / looked.asked:.1%})")
    table = Table("alias", "bins", "rows", "IV", "band", "WoE", "left out because", box=None)
    for one in sorted(looked.described, key=lambda described: -described.iv):
        woe = f"{min(one.woe):.2f} to {max(one.woe):.2f}"
        table.add_row(one.alias, str(len(one.counts)), str(sum(one.counts)), f"{one.iv:.4f}", iv_band(one.iv), woe, one.reason)
    console.print(table)


def _interval(interval: Interval) -> str:
    return f"{interval.value:.4f} ({interval.low:.4f} - {interval.high:.4f})"
