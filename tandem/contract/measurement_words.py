"""What a measurement contract means, in sentences for `words`: what is counted, who learns what of it, and what it does not prevent."""

from __future__ import annotations

from collections.abc import Iterator

from tandem.contract.auditor_words import unshown
from tandem.contract.measurement import Measurement
from tandem.contract.value import BANK, Contract

Both = tuple[str, str]


def _both(en: str, zh: str) -> Both:
    return (en, zh)


def counted(asked: Measurement) -> Iterator[tuple[Both, Both]]:
    """Yield the rows that tell what is counted, and by what."""
    yield ("kind", "类型"), _both(
        en=f"measurement of a campaign: {asked.groups} groups, whose names stand nowhere here",
        zh=f"营销活动测量：{asked.groups} 个组，组名不出现在本合约中",
    )
    bands = ", ".join(map(str, asked.spend_bands))
    yield ("outcomes", "结果"), _both(
        en=", ".join(asked.outcomes) + (f"; spent at least {bands}" if bands else ""),
        zh="、".join(asked.outcomes) + (f"；消费至少 {bands}" if bands else ""),
    )
    for one in asked.segments:
        yield ("segment", "分群"), _both(
            en=f"{one.name}: {', '.join(one.levels)}; or none of them", zh=f"{one.name}：{'、'.join(one.levels)}；或均不是"
        )


def bank(contract: Contract) -> Iterator[Both]:
    """Yield what the bank learns beside the alignment."""
    least, few = contract.layout.min_bin, contract.layout.min_class
    yield _both(
        en=f"people of each group by outcome, by level of each segment: of levels with at least {least} people contacted in all, smaller "
        f"ones joined before; and of these a number only where at least {least} of the group were contacted, at least {few} have the "
        f"outcome, at least {few} have not, and subtraction gives no smaller one either",
        zh=f"按各分群的层级，各组按结果的人数：层级内被联系者合计至少 {least} 人（更小的先合并）；其中仅当该组被联系者至少 {least} 人、"
        f"有该结果者和没有者各至少 {few} 人，且相减也得不出更小的数时，才给出该数",
    )
    if contract.solver == BANK:
        yield _both(
            en="the same before anything is joined or withheld, and how many people of the roster are at each level: it solves for itself",
            zh="上述合计合并、屏蔽之前的数，以及名册中各层级的人数：由银行自行求解",
        )


TELCO: Both = _both(
    en="no group, no outcome, and not who was contacted: every row of the roster is sealed",
    zh="得不到组别和结果，也不知道谁被联系过：名册的每一行都已密封",
)
COORDINATOR: tuple[Both, ...] = (
    _both(
        en="how many people of the roster are at each level, and of these how many in each unnamed group have each outcome, small or not",
        zh="名册中各层级的人数，以及其中各组（无组名）有各项结果的人数，无论多少",
    ),
    _both(en="no row and no identifier; it holds no decryption key", zh="得不到任何行和标识；不持有解密密钥"),
)


def limits(contract: Contract) -> Iterator[Both]:
    """Yield what a measurement does not prevent, beside what no contract does; nothing under a contract of another kind."""
    if contract.measurement is None:
        return
    yield _both(
        en="If the bank asks about those people alone whom it contacted, the roster says who they are; let it ask about all its customers.",
        zh="如果银行只询问被联系过的人，名册本身就透露了是谁；应询问全部客户。",
    )
    yield _both(  # S3
        en="Two measurements whose results differ in a few people give away those people's levels by their difference; the cap on jobs "
        "bounds it.",
        zh="两次测量的结果若只差几个人，其差会透露这几个人的层级；任务次数上限使之有界。",
    )
    yield _both(
        en="Numbers that are withheld are known to be small or near to another; differences of three outcomes and more are not looked at.",
        zh="被屏蔽的数可知其小或与另一数相近；三个及以上结果之间的加减未作检查。",
    )
    yield _both(
        en="A telco that codes levels at random or wrongly is not prevented.", zh="不能防止运营商给出随机或错误的层级。"
    )


def cost(contract: Contract) -> Iterator[Both]:
    """Yield what it costs that a bank solves its own measurement."""
    if contract.measurement is not None and contract.solver == BANK:
        yield _both(  # S1
            en="The bank solves for itself: nobody withholds small numbers from it, and nobody checks its rows. A bank that cheats can "
            f"read single customers' levels; {unshown(contract)[0]}. Choose it only where the telco trusts the bank.",
            zh="银行自行求解：没有人对它屏蔽过小的数，也无人核对它的数据行。作弊的银行可以读出单个客户的层级；"
            f"{unshown(contract)[1]}。仅在运营商信任银行时选用。",
        )
