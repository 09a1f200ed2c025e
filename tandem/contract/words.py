
"""What a contract means, in sentences: what each party will learn, the caps, and what nothing here prevents.

The rows follow protocols, part 7; the sentences under "not prevented" are those that security, part 2, marks *printed*, and they stand
here because the reader who signs stands here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tandem.contract import auditor_words, exposure_words, limit_words, measurement_words, noise_words, tells_words
from tandem.contract.layout import RIDGES
from tandem.contract.value import BANK, COORDINATOR, TELCO, Contract, Role
from tandem.errors import InputError

Language = Literal["en", "zh"]
Both = tuple[str, str]
"""One sentence in English and in Chinese; `{...}` is filled from the contract."""

SAFE_BITS = 3072
"""Length of the modulus below which a warning is printed."""
CROWDED = 0.1
"""Share of the telco's people who are customers, for which the warning about cover gives its figure: q / (1 - (1 - q)^f) of a group."""
ROWS_A_TOTAL = 50
"""Matched training rows a total, under which telco and coordinator together come near to single rows (T9)."""

NAMES: dict[Role, Both] = {BANK: ("bank", "银行"), TELCO: ("telco", "运营商"), COORDINATOR: ("coordinator", "协调方")}


@dataclass(frozen=True)
class Page:
    """One part of the screen: a heading and its rows; a row's label is "" where the sentence stands alone."""

    heading: str
    rows: tuple[tuple[str, str], ...]


def role_name(role: str, language: Language) -> str:
    """Return what the role is called; a word that is no role is returned as it is."""
    return next((_pick(both, language) for known, both in NAMES.items() if known == role), role)


def language_of(text: str) -> Language:
    """Return the language that the user named. Raises InputError if it is neither."""
    if text == "en":
        return "en"
    if text == "zh":
        return "zh"
    raise InputError(f"--lang {text!r} is not known: en or zh")


def pages(contract: Contract, language: Language = "en") -> tuple[Page, ...]:
    """Return everything that a person must read before signing."""
    parts: tuple[tuple[Both, Iterator[tuple[Both, Both]]], ...] = (
        (("Contract", "合约"), _terms(contract)),
        (("Who learns what", "各方得知什么"), _learns(contract)),
        (("Caps", "上限"), _caps(contract)),
        (("What this does not prevent", "本合约不能防止的事"), _limits(contract)),
        (("Signatures", "签名"), _signatures(contract)),
    )
    return tuple(
        Page(_pick(heading, language), tuple((_pick(label, language), _pick(text, language)) for label, text in rows))
        for heading, rows in parts
    )


def costs(contract: Contract, language: Language = "en") -> tuple[str, ...]:
    """Return what this contract's choices cost beyond the usual, to be said where they are made; nothing for the usual ones."""
    return tuple(_pick(both, language) for both in _costs(contract))


def disclosures(contract: Contract, language: Language = "en") -> Page:
    """Return the page that says who learns what."""
    return pages(contract, language)[1]


def _pick(both: Both, language: Language) -> str:
    return both[0 if language == "en" else 1]


def _both(en: str, zh: str) -> Both:
    return (en, zh)


def _same(text: object) -> Both:
    return (str(text), str(text))


def _terms(contract: Contract) -> Iterator[tuple[Both, Both]]:
    layout = contract.layout
    yield ("number", "编号"), _same(contract.id)
    yield ("digest", "摘要"), _same(contract.digest.hex())
    purposes: dict[str, Both] = {"marketing": ("marketing", "营销"), "credit": ("credit, licence ", "征信，许可证号 ")}
    purpose = purposes[contract.purpose]
    yield ("purpose", "用途"), (purpose[0] + contract.licence, purpose[1] + contract.licence)
    yield ("in words", "说明"), _same(contract.description)
    if contract.kind == "training":
        yield ("kind", "类型"), (
            f"training: {layout.passes} passes, then one card; {layout.labels} label",
            f"训练：{layout.passes} 轮，最后一张评分卡；标签 {layout.labels} 个",
        )
    elif contract.measurement is not None:
        yield from measurement_words.counted(contract.measurement)
    else:
        yield ("kind", "类型"), (
            f"scoring with card {contract.card}, trained under contract {contract.training}",
            f"评分：使用评分卡 {contract.card}，训练合约 {contract.training}",
        )
    yield ("valid", "有效期"), (f"from {contract.start} until before {contract.expiry}", f"自 {contract.start} 起，至 {contract.expiry} 前")
    for role in contract.roles:
        yield NAMES[role], _same(contract.party(role).name)
    if contract.solver == BANK:
        yield NAMES[COORDINATOR], ("none: the bank solves", "无：由银行自行求解")
    yield ("identifier", "标识形式"), _same(contract.identifier)
    if contract.measurement is None:
        yield from _model(contract)
    weak: Both = ("", "")
    if layout.key_bits < SAFE_BITS:
        weak = (
            f". WARNING: less than {SAFE_BITS}; fit for tests and short-lived data only",
            f"。警告：低于 {SAFE_BITS} 位，只宜用于测试和短期数据",
        )
    yield ("key", "密钥"), (f"Paillier, {layout.key_bits} bits{weak[0]}", f"Paillier，{layout.key_bits} 位{weak[1]}")


def _model(contract: Contract) -> Iterator[tuple[Both, Both]]:
    layout = contract.layout
    yield ("columns", "列"), (
        f"bank {layout.bank_columns}; telco {contract.telco.variables or 'not yet filled in'}, at most {layout.bins} bins each",
        f"银行 {layout.bank_columns}；运营商 {contract.telco.variables or '尚未填写'}，每个变量至多 {layout.bins} 箱",
    )
    yield ("model", "模型"), (
        f"grain {layout.grain} of log-odds, card step {layout.card_step}, ridge {layout.ridge}, hold-out {layout.hold_out}",
        f"训练分粒度 {layout.grain}（对数几率），评分卡步长 {layout.card_step}，岭系数 {layout.ridge}，留出集 {layout.hold_out}",
    )
    if contract.kind == "training" and layout.chooses_ridge:
        who = NAMES[contract.solver]
        yield ("ridge", "岭系数"), _both(
            en=f"the {who[0]} chooses it in the first pass, by what the totals say: a power of two from {RIDGES[0]:g} to {RIDGES[-1]:g}",
            zh=f"由{who[1]}在第一轮中根据合计选定：{RIDGES[0]:g} 至 {RIDGES[-1]:g} 之间的 2 的幂",
        )
    if contract.kind == "training":
        errors: dict[str, Both] = {"approximate": ("approximate", "近似"), "exact": ("exact: one more session", "精确：多一次会话")}
        yield ("standard errors", "标准误"), errors[layout.se]
        yield from noise_words.size(contract)


def _learns(contract: Contract) -> Iterator[tuple[Both, Both]]:
    layout, caps = contract.layout, contract.caps
    yield NAMES[BANK], (
        "the size of the telco's table, and which of its own identifiers are in it",
        "运营商名单的大小，以及自己的标识中哪些在其中",
    )
    scored: Both = ("a matched customer", "每位匹配客户")
    if layout.cover > 1:
        scored = ("a person of the roster, cover included", "名册中每人（含掩护）")
    if contract.kind == "training":
        yield NAMES[BANK], _both(
            en=f"under aliases, the rows and bads of each bin that has at least {layout.min_bin} rows, {layout.min_class} bads "
            f"and {layout.min_class} goods; smaller bins are merged before",
            zh=f"以代号表示的每个分箱的人数和坏样本数（至少 {layout.min_bin} 人、坏好样本各至少 {layout.min_class} 个；更小的先合并）",
        )
        yield NAMES[BANK], (
            f"in each of {layout.passes} passes one dithered telco score {scored[0]}, {contract.pass_bits} bits each",
            f"{layout.passes} 轮中每轮{scored[1]}一个加抖动的运营商分，每个 {contract.pass_bits} 比特",
        )
        yield NAMES[BANK], (
            "at the end the card's points, and coefficients and errors rounded to 0.05 standard errors",
            "结束时得到评分卡分值，以及舍入到 0.05 个标准误的系数和误差",
        )
    if contract.measurement is not None:
        yield from ((NAMES[BANK], text) for text in measurement_words.bank(contract))
    else:
        yield NAMES[BANK], (
            f"one card score {scored[0]}, {contract.card_bits} bits",
            f"{scored[1]}一个评分卡分，{contract.card_bits} 比特",
        )
    yield from ((NAMES[BANK], text) for text in tells_words.told(contract))
    if contract.kind == "training" and contract.solver == BANK:
        for text in (*_totals(contract), _BEFORE_RELEASE):
            yield NAMES[BANK], text
    yield NAMES[TELCO], ("how many identifiers were asked, and that the job ran", "被询问的标识个数，以及任务运行过")
    if layout.cover == 1:
        yield NAMES[TELCO], (
            f"the roster: which persons of its table are customers of the bank (at most {caps.roster})",
            f"名册：自己名单中哪些人是银行客户（至多 {caps.roster} 人）",
        )
    else:
        yield NAMES[TELCO], _both(
            en=f"the roster: groups of {layout.cover} of its people, in each of whom at least one is a customer of the bank (at most "
            f"{caps.roster} people in all)",
            zh=f"名册：由自己名单中每 {layout.cover} 人组成的若干组，每组至少一人是银行客户（合计至多 {caps.roster} 人）",
        )
    yield from ((NAMES[TELCO], text) for text in _telcos_weights(contract))
    if contract.solver == COORDINATOR and contract.measurement is not None:
        yield from ((NAMES[COORDINATOR], text) for text in measurement_words.COORDINATOR)
    elif contract.solver == COORDINATOR:
        for text in _totals(contract) if contract.kind == "training" else (("the card's coefficients", "评分卡的系数"),):
            yield NAMES[COORDINATOR], text
        yield NAMES[COORDINATOR], (
            "no row, no identifier, no column name; it holds no decryption key",
            "得不到任何行、标识和列名；不持有解密密钥",
        )
    yield from ((auditor_words.NAME, text) for text in auditor_words.learns(contract))
    yield ("before a study", "研究之前"), _both(  # in the words of ledger/disclosure.py
        en="`tandem plan` tells the bank the size of the telco's table, whether it is hashed yet, and the number of bins of each variable, "
        "and of each node how fast the machine is, and its memory; `tandem doctor` tells either end the other node's version and clock, "
        "and that it honours the contract",
        zh="`tandem plan` 使银行得知运营商名单的大小、是否已做哈希，以及各变量的箱数，并得知各节点机器的速度和内存；"
        "`tandem doctor` 使两端得知对方节点的版本和时钟，以及它认可该合约",
    )
    yield ("network", "网络"), ("sizes and times", "长度和时间")


def _telcos_weights(contract: Contract) -> Iterator[Both]:
    if contract.measurement is not None:
        yield measurement_words.TELCO
        return
    if contract.layout.weights == "blind":
        yield (
            "no label, no column of the bank, no weight, no score, and not which variables were kept",
            "得不到标签、银行的列、权重和分数，也不知道保留了哪些变量",
        )
        return
    when: Both = ("in every pass and on the card", "每一轮以及评分卡中") if contract.kind == "training" else ("on the card", "评分卡中")
    yield _both(
        en=f"the points of every bin of its variables, {when[0]}: weights that come from labels. They say which variables were kept, give "
        "the telco's part of each customer's score, and nearly the share of bads in each bin",
        zh=f"{when[1]}自己各变量每箱的分值：由标签得出的权重。由此可知保留了哪些变量、每位客户分数中运营商的部分，以及每箱坏样本的大致比例",
    )
    yield ("no column of the bank, and no label of a customer as such", "得不到银行的列，也不直接得到客户的标签")


def _totals(contract: Contract) -> Iterator[Both]:
    """Yield what whoever solves learns of a training."""
    least = contract.layout.min_bin
    yield _both(
        en="totals by bin: rows, bads, weights, residuals, and weighted sums of the bank's columns; the telco's counts of pairs of "
        f"bins (0 under {least} rows); the bank's own totals and coefficients",
        zh="按箱合计：人数、坏样本数、权重、残差、银行各列的加权和；"
        f"运营商的两两分箱计数（少于 {least} 记为 0）；银行自己的合计和系数",
    )
    if contract.layout.se == "approximate":
        return
    if contract.solver == COORDINATOR:
        yield _both(
            en="for the exact standard errors: the totals by bin once more, at the end, and for each pair of the telco's variables in "
            "the model one total of weights times both variables' WoE; single pairs of bins stay sealed",
            zh="为求精确标准误：结束时再得一次按箱合计，以及模型中每两个运营商变量一个合计（权重乘以两变量的 WoE）；"
            "单个两两分箱的合计保持密封",
        )
    else:
        yield _both(
            en="for the exact standard errors: the totals by bin once more, at the end, and the total weight of every pair of bins of at "
            f"least {least} rows: it holds the key that these are sealed with",
            zh=f"为求精确标准误：结束时再得一次按箱合计，以及每个两两分箱（至少 {least} 人）的权重合计：密封所用的密钥在它手中",
        )


_BEFORE_RELEASE: Both = (
    "these before small bins are withheld, and the coefficients before they are rounded: it solves for itself",
    "上述合计未经小箱屏蔽，系数未经舍入：由银行自行求解",
)


def _caps(contract: Contract) -> Iterator[tuple[Both, Both]]:
    caps = contract.caps
    yield ("identifiers asked", "询问标识"), _same(f"{caps.identifiers:,}")
    yield ("telco's table", "运营商名单"), _same(f"{caps.table:,}")
    yield ("roster", "名册"), _same(f"{caps.roster:,}")
    yield ("jobs", "任务次数"), _same(contract.jobs)
    if contract.job_bits:
        yield ("bits a person", "每人披露比特"), (
            f"{caps.disclosure_bits} over the whole contract; one job uses {contract.job_bits}",
            f"整个合约期内 {caps.disclosure_bits}；一次任务用 {contract.job_bits}",
        )
    yield from ((("rows found", "可还原的行"), text) for text in exposure_words.limit(contract))
    fewest = f"{contract.layout.min_matched:,}"
    yield ("fewest matches", "最少匹配"), (f"{fewest}, else the study stops", f"{fewest}，不足则停止")


def _limits(contract: Contract) -> Iterator[tuple[Both, Both]]:
    alone: Both = ("", "")
    layout = contract.layout
    for text in (*_costs(contract), *_named(layout.cover, scored=contract.measurement is None)):
        yield alone, text
    for text in (*limit_words.BUDGETS, *limit_words.ALWAYS):
        yield alone, text
    if contract.solver == COORDINATOR:
        for text in limit_words.LEAGUES if contract.kind != "scoring" else limit_words.LEAGUES[:1]:
            yield alone, text
    if contract.kind == "training":
        for text in limit_words.TRAINING:
            yield alone, text
        rows = round(layout.min_matched * (1 - layout.hold_out_share))
        if contract.solver == COORDINATOR and contract.totals and rows < ROWS_A_TOTAL * contract.totals:
            yield alone, _both(
                en=f"WARNING: {rows} training rows, the fewest allowed, face {contract.totals} totals: under 10 rows a total the bank "
                f"refuses, under {ROWS_A_TOTAL} telco and coordinator together come near to single rows.",
                zh=f"警告：最少 {rows} 行训练数据对应 {contract.totals} 个合计值：每个合计不足 10 行时银行拒绝，"
                f"不足 {ROWS_A_TOTAL} 行时运营商与协调方合谋已接近单行。",
            )
    yield from ((alone, text) for text in (*measurement_words.limits(contract), *auditor_words.limits(contract)))
    yield from ((alone, text) for text in exposure_words.found(contract))
    if contract.layout.key_bits < SAFE_BITS:
        yield alone, (
            f"A {layout.key_bits}-bit key guards the bank's rows for fewer years than {SAFE_BITS} bits would.",
            f"{layout.key_bits} 位密钥保护银行数据的年限短于 {SAFE_BITS} 位。",
        )


def _named(cover: int, *, scored: bool) -> Iterator[Both]:
    """Yield what the roster gives away, and what cover costs."""
    if cover == 1:
        yield _both(  # A3
            "The telco learns which numbers of its table are the bank's customers, 1 in 1, and it can put numbers into its table that it "
            "does not serve.",
            "运营商得知其名单中哪些号码是银行客户（1 比 1）；它可以把并非自己用户的号码放进名单。",
        )
        return
    crowded = (1 - (1 - CROWDED) ** cover) / CROWDED
    yield _both(  # A3, A9, A10, A11
        f"Cover hides a customer among {cover} people, on average, from a telco without side knowledge: not row by row; among fewer where "
        f"people have left the group, or where many are customers (1 in {crowded:.1f} if {CROWDED:.0%} of the telco's people are); and not "
        "from a telco that forges its groups, does not keep them, or leaves people out of later tables. It can put numbers into its table "
        "that it does not serve.",
        f"掩护使没有旁证的运营商平均只能把客户定位到 {cover} 人之中：并非逐行成立；组内有人离网、或客户占比高时更少"
        f"（运营商用户中 {CROWDED:.0%} 是客户时为 {crowded:.1f} 人）；若运营商伪造分组、不保持分组或在以后的名单中略去个别人则无效。"
        "它可以把并非自己用户的号码放进名单。",
    )
    if not scored:
        return
    yield _both(  # A12
        f"Cover makes sealing, traffic and scoring grow up to {cover}-fold. The other people of each group are scored too, and their "
        "scores come back to the bank, under tags that a later query with the same key would name.",
        f"掩护使密封、流量和评分最多增至 {cover} 倍。组内其他人也被评分，分数同样返回银行，只是挂在标签下；"
        "以后用同一密钥查询即可认出。",
    )


def _costs(contract: Contract) -> Iterator[Both]:
    yield from noise_words.covered(contract)
    yield from measurement_words.cost(contract)
    yield from tells_words.costs(contract)
    if contract.solver == BANK and contract.kind == "training":
        yield _both(  # S1, S7
            en="The bank solves for itself: it has the coordinator's column too, and nobody checks its rows. A bank that cheats can read "
            f"bins of the roster, as chosen bits of single rows in every sum and up to {contract.pass_bits} bits a person from every table "
            f"of points that it seals; {auditor_words.unshown(contract)[0]}. Choose it only where the telco trusts the bank.",
            zh="银行自行求解：它同时得到协调方应得的一切，且无人核对它的数据行。作弊的银行可以读出名册的分箱："
            f"每个合计中可藏入单行的选定比特，每张由它密封的分值表每人至多 {contract.pass_bits} 比特；"
            f"{auditor_words.unshown(contract)[1]}。仅在运营商信任银行时选用。",
        )
    if contract.layout.weights == "open" and contract.kind == "training":
        yield _both(  # T3, T7
            en="The telco holds the weights in the clear, and they come from labels. A telco that offers variables which differ in one "
            "customer can read that customer's label from their points; nothing here prevents that. It also sees when a check fails, since "
            "all points are then 0. Choose it only where the bank trusts the telco.",
            zh="运营商持有明文权重，而权重由标签得出。若运营商提供的两个变量只差一位客户，即可从两者的分值读出这位客户的标签；本合约不能防止。"
            "检查失败时所有分值为 0，运营商也会看到。仅在银行信任运营商时选用。",
        )


def _signatures(contract: Contract) -> Iterator[tuple[Both, Both]]:
    for role in contract.roles:
        fault = contract.signature_fault(role)
        if not fault:
            yield NAMES[role], ("signed, and the signature holds", "已签名，签名有效")
        elif not getattr(contract.signatures, role):
            yield NAMES[role], ("not signed", "未签名")
        else:
            yield NAMES[role], (fault, "签名与内容不符：签名后有字段被改动，或由其他密钥签署")
