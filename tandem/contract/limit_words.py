"""What no contract of a kind prevents, whatever its numbers: sentences for `words`, with the names that the list of attacks gives them."""

from __future__ import annotations

Both = tuple[str, str]


def _both(en: str, zh: str) -> Both:
    return (en, zh)


ALWAYS: tuple[Both, ...] = (
    (  # A10
        "The telco can compare the roster with its other subscribers and guess who else looks like a customer.",
        "运营商可以把名册与其他用户比较，猜测还有谁像银行客户。",
    ),
    (
        "The telco carries the bank's calls and messages: it can see on its own network who is contacted, and when.",
        "银行的电话和短信经由运营商网络：它能看到谁在何时被联系。",
    ),
    (
        "Nothing here shows that either party's data are true.",
        "本合约不能证明任何一方的数据属实。",
    ),
)
BUDGETS: tuple[Both, ...] = (
    _both(  # A2, S6
        "The telco's node also counts what it is asked and what it tells, person by person, over all contracts of one bank within a year, "
        "and may refuse what this contract alone would allow. A bank under another name and other keys is another bank to it, unless the "
        "telco says otherwise.",
        "运营商节点还按年、按人累计同一银行全部合约下的询问与披露，可拒绝本合约单独允许的内容。"
        "以另一名称和另一密钥出现的银行被视为另一家，除非运营商另行指明。",
    ),
)
LEAGUES: tuple[Both, ...] = (
    (  # S9
        "Coordinator and bank together can read the telco's codes.",
        "协调方与银行合谋可以读出运营商的编码。",
    ),
    (  # T2
        "Telco and coordinator together can open single rows.",
        "运营商与协调方合谋可以打开单行数据。",
    ),
    (  # S1 with a coordinator, part 7
        "A bank that cheats can seal crafted rows and aim totals at single rows; the coordinator's checks show it in part.",
        "作弊的银行可以密封伪造的行，使合计指向单行；协调方的检查只能部分发现。",
    ),
)
TRAINING: tuple[Both, ...] = (
    _both(  # S3
        "Two trainings that differ in a few customers give away those customers' bins by their difference. Where rosters differ so, the "
        "telco's node refuses; where labels do, rounding and the cap on jobs bound it.",
        "两次训练若只差几位客户，其差会透露这几位客户的分箱。名册如此相差时运营商节点拒绝；标签如此相差时，舍入和任务次数上限使之有界。",
    ),
    _both(  # T10
        "A telco that sends random or inverted codes is not prevented; the joint model is then no better than the bank's own on the "
        "hold-out, and the report says so.",
        "不能防止运营商给出随机或颠倒的编码；那时联合模型在留出集上不优于银行自己的模型，报告会如实说明。",
    ),
)
