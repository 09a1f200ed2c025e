"""Sentences and headings of a campaign, in English and Chinese. Names of groups, benefits and segments are English in files."""

from __future__ import annotations

from tandem.contract.words import Language

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "control_rule": "most card payments in the past, then balance",
        "rule_control": "bank only: {control}",
        "rule_low": "in the pool, probability below {threshold:g}; drawn by lot",
        "rule_high": "in the pool, probability {threshold:g} or more; drawn by lot", "held": "{group}, held back",
        "held_rule": "drawn by lot from group {group}, and not contacted",
        "compared": "Compared are whole ways of choosing and offering: the control group is contacted as well, chosen by the bank's rule "
        "and with the default benefit. Groups chosen by a rule are no randomised experiment: their people differ in kind.",
        "compared_held": " Within a model group, those held back were chosen by lot: that difference is what contact brought.",
        "group": "group", "available": "available", "size": "size", "detectable": "shows from", "payments": "past payments",
        "points": "{} points", "probability": "probability", "bank": "bank only",
        "population": "{customers} customers, {dormant} with a dormant card, {matched} of them matched; pool of {pool} ({share})",
        "sizes": "{needed} people a group show a difference of {detect} points from a rate of {baseline:.1%} "
        "(power {power:.0%}, level {level:.0%})",
        "short": "group {group} has {size} people, fewer than the {needed} that were asked for",
        "as_is": "{model}: calibrated on the hold-out (slope {slope}, level {level}); probabilities stand",
        "mended": "{model}: recalibrated on the hold-out (slope {slope}, level {level})",
        "joint": "joint model", "alone": "bank only", "benefit": "benefit", "default": "default ({name})", "people": "people",
        "share": "share",
        "segment": "value segment", "deck": "deck", "nobody": "-", "up_to": "to {high:.0%}", "range": "{low:.0%} to {high:.0%}",
        "selected": "selected", "contacted": "contacted", "response_rate": "response", "application_rate": "application",
        "approval_rate": "approval", "first_card_rate": "first card", "overall_effect": "overall", "activation_rate": "activation",
        "spend_mean": "spend", "against": "against", "ratio": "ratio", "verdict": "verdict", "p": "p", "interval": "{} to {}",
    },
    "zh": {
        "control_rule": "历史刷卡次数最多者优先，其次为借记卡余额",
        "rule_control": "仅用行内数据：{control}", "rule_low": "候选池中概率低于 {threshold:g}，随机抽取",
        "rule_high": "候选池中概率不低于 {threshold:g}，随机抽取", "held": "{group}（留存）",
        "held_rule": "从 {group} 组随机抽出，不触达",
        "compared": "所比较的是整套选人与权益方式：对照组同样被触达，由行内规则选出，权益为默认。"
        "按规则选出的组不是随机试验，各组人群本身不同。",
        "compared_held": "同一模型组内，留存者由抽签选出：该差异即触达本身带来的效果。",
        "group": "组别", "available": "可选人数", "size": "人数", "detectable": "可检出差异", "payments": "历史刷卡次数",
        "points": "{} 个百分点", "probability": "概率", "bank": "仅银行",
        "population": "客户 {customers} 位，持休眠卡 {dormant} 位，其中匹配 {matched} 位；候选池 {pool} 位（{share}）",
        "sizes": "每组 {needed} 人可在 {level:.0%} 水平、{power:.0%} 功效下检出与 {baseline:.1%} 相差 {detect} 个百分点",
        "short": "{group} 组有 {size} 人，少于所需的 {needed} 人",
        "as_is": "{model}：留出集上已校准（斜率 {slope}，水平 {level}），概率不作调整",
        "mended": "{model}：已按留出集重新校准（斜率 {slope}，水平 {level}）",
        "joint": "联合模型", "alone": "仅银行", "benefit": "权益", "default": "默认（{name}）", "people": "人数",
        "share": "占比",
        "segment": "价值分群", "deck": "案例资料", "nobody": "-", "up_to": "至 {high:.0%}", "range": "{low:.0%} 至 {high:.0%}",
        "selected": "筛选", "contacted": "触达", "response_rate": "响应率", "application_rate": "进件率",
        "approval_rate": "批核率", "first_card_rate": "一卡批核率", "overall_effect": "综合营销效果", "activation_rate": "促活率",
        "spend_mean": "人均消费", "against": "对比", "ratio": "倍数", "verdict": "结论", "p": "p", "interval": "{} 至 {}",
        "maintain": "维持", "lost cause": "鸡肋", "potential": "潜在", "key": "重点",
        "control": "对照组", "low": "低分组", "high": "高分组",
        "eat": "吃的开心", "play": "玩的开心", "online shopping": "淘的开心", "shopping": "购的开心",
    },
}
