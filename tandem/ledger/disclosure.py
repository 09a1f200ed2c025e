
"""Declared disclosures: for each message, who learns what from it. A message that is not here may not be sent or received.

The words are those of protocols, part 7. `form` says in what state the content travels: "clear" (the receiver reads it), "sealed" (under
the bank's Paillier key), "masked" (uniform numbers until masks and opened values meet at the coordinator). What hangs on labels reaches
the telco sealed or not at all, unless the contract says `weights = "open"`: `Declared.label_in_clear` is false for every message that it
receives but `Points`, and a test holds the table to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from tandem.contract import BANK, COORDINATOR, TELCO, Role
from tandem.errors import LocalProtocolError

Form = Literal["clear", "sealed", "masked"]
Language = Literal["en", "zh"]


@dataclass(frozen=True)
class Disclosed:
    """One disclosure as the ledger keeps it. `what` is a word of WORDS; `bits` counts bits a person, 0 where that is no measure."""

    to: Role
    what: str
    bits: int = 0


@dataclass(frozen=True)
class Declared:
    """What is declared of one message class. `routes`: the (speaker, listener) pairs that may ever use it."""

    message: str
    routes: tuple[tuple[Role, Role], ...]
    form: Form = "clear"
    label_derived: bool = False
    """Its content, were it read, would depend on labels."""
    learns: Mapping[Role, str] = field(default_factory=dict)
    """By learner the word for what is learnt, a key of WORDS."""
    by_person: bool = False
    """The disclosure is counted in bits a person."""
    keyed: str = ""
    """What a bank that listens in the coordinator's place learns instead: it has the key, and what is said to its other role."""

    @property
    def label_in_clear(self) -> bool:
        """Whether its receiver reads something that depends on labels."""
        return self.label_derived and self.form == "clear"

    def to(self, listener: Role, bits: int = 0, reader: Role | None = None) -> tuple[Disclosed, ...]:
        """Return what a frame of this class discloses to `listener`, for the ledger; `bits` a person where they are counted.

        `reader`: who it is that reads in that listener's place, such as the bank where it solves itself.
        """
        what = self.keyed if self.keyed and reader == BANK != listener else self.learns.get(listener)
        return () if what is None else (Disclosed(reader or listener, what, bits if self.by_person else 0),)


def declared(message: str) -> Declared:
    """Return what is declared of the message class of this name. Raises LocalProtocolError for one that is not declared."""
    try:
        return DECLARED[message]
    except KeyError:
        raise LocalProtocolError(f"message {message!r} has no declared disclosure: declare it in ledger/disclosure.py first") from None


def sentence(what: str, language: Language = "en") -> str:
    """Return in words what a ledger's `what` stands for; a word of another version is returned as it is."""
    both = WORDS.get(what)
    return what if both is None else both[0 if language == "en" else 1]


WORDS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "sizes": ("declared sizes, version and script", "声明的长度、版本和流程"),
    "digests": ("digests of what the others saw", "其他各方所见内容的摘要"),
    "table-size": ("the size of the telco's table", "运营商名单的大小"),
    "asked": ("how many identifiers were asked", "被询问的标识个数"),
    "matches": ("which of its own identifiers match", "自己的标识中哪些匹配"),
    "roster": (
        "the roster: which persons of its table are the bank's customers, or in a cover group with one",
        "名册：自己名单中哪些人是银行客户，或与客户同在一个掩护组",
    ),
    "modulus": ("the bank's public key", "银行的公钥"),
    "ran": ("that the job ran", "任务运行过"),
    "shapes": ("under aliases, the number of bins of each variable", "以代号表示的各变量箱数"),
    "shapes-rows": ("under aliases, the bins of each variable and the rows in each", "以代号表示的各变量分箱及各箱人数"),
    "pairs": ("counts of pairs of bins, 0 where small", "两两分箱计数，过小者记为 0"),
    "totals": (
        "totals by bin: rows, bads, weights, residuals, weighted sums; in a measurement, people by level, group and outcome",
        "按箱合计：人数、坏样本数、权重、残差、加权和；测量时为按层级、组别和结果的人数",
    ),
    "crossed": ("one weighted total for each pair of telco variables in the model", "模型中每两个运营商变量一个加权合计"),
    "pair-totals": ("total weights by pairs of bins, none where the count is small", "两两分箱的权重合计，人数过少者除外"),
    "wish": ("numbers of training rows and bads; which variables the bank wishes to keep", "训练行数和坏样本数；银行希望保留的变量"),
    "statistics": ("rows, bads, WoE and IV of released bins, under aliases", "以代号表示的已放行分箱的人数、坏样本数、WoE 和 IV"),
    "own": ("the bank's own Hessian, gradient and coefficients", "银行自己的海森矩阵、梯度和系数"),
    "step": (
        "the Newton point of its own columns and the size of the telco's part, rounded; tau, and the ridge if it was chosen",
        "舍入后的自己各列的牛顿点和运营商部分的大小、tau，以及岭系数（若由求解方选定）",
    ),
    "polish": ("the scale of the telco's part and the bank's coefficients", "运营商部分的比例和银行的系数"),
    "release": ("the card's points; coefficients and errors, rounded", "评分卡分值；舍入后的系数和误差"),
    "weights": ("the points of every bin of its variables: weights that come from labels", "自己各变量每箱的分值：由标签得出的权重"),
    "campaign": ("people of each unnamed group by outcome, in all", "各组（无组名）按结果的总人数"),
    "measured": (
        "people by level of the telco's segments, group and outcome, where none of them is few",
        "按运营商分群层级、组别和结果的人数，过少者除外",
    ),
    "offer": (
        "the size of the telco's table, whether it is hashed yet, and the number of bins of each variable",
        "运营商名单的大小、是否已做哈希，以及各变量的箱数",
    ),
    "speed": ("how fast the machine is, and its memory", "机器的速度和内存"),
    "probed": ("the other node's version and clock, and that it honours the contract", "对方节点的版本和时钟，以及它认可该合约"),
    "levels": ("for each person of the roster, the levels of the columns that the contract names", "名册中每人在合约所列各列中的档位"),
    "scores": ("one score a roster row, cover included, coarse", "名册每行（含掩护）一个粗化的分数"),
})
"""What may be learnt, in English and in Chinese."""

_TO_TELCO, _TO_COORDINATOR = (BANK, TELCO), (BANK, COORDINATOR)
_SUMMED: tuple[tuple[Role, Role], ...] = ((TELCO, COORDINATOR),)
_SOLVED: tuple[tuple[Role, Role], ...] = ((COORDINATOR, BANK),)
_EVERY: tuple[tuple[Role, Role], ...] = tuple((a, b) for a in (BANK, TELCO, COORDINATOR) for b in (BANK, TELCO, COORDINATOR) if a != b)

DECLARED: Mapping[str, Declared] = MappingProxyType({entry.message: entry for entry in (
    Declared("Opening", _EVERY, learns={BANK: "sizes", TELCO: "sizes", COORDINATOR: "sizes"}),
    Declared("End", _EVERY),
    Declared("Closing", _EVERY, learns={BANK: "digests", TELCO: "digests", COORDINATOR: "digests"}),
    # alignment
    Declared("Tags", ((TELCO, BANK),), learns={BANK: "table-size"}),
    Declared("Shelved", (_TO_TELCO,)),
    Declared("Query", (_TO_TELCO,), learns={TELCO: "asked"}),
    Declared("Answer", ((TELCO, BANK),), learns={BANK: "matches"}),
    Declared("Weighed", (_TO_TELCO,)),
    Declared("Proof", ((TELCO, BANK),)),
    Declared("Roster", (_TO_TELCO,), learns={TELCO: "roster"}),
    # sealed sums
    Declared("Key", (_TO_TELCO, _TO_COORDINATOR), learns={TELCO: "modulus", COORDINATOR: "modulus"}),
    Declared("Shapes", ((TELCO, BANK), *_SUMMED), learns={BANK: "shapes", COORDINATOR: "shapes-rows"}),
    Declared("Sealed", (_TO_TELCO,), "sealed", label_derived=True, learns={TELCO: "ran"}),
    Declared("Shares", ((TELCO, BANK), (COORDINATOR, BANK)), "masked", label_derived=True),
    # with the masks, which reached it apart, the opened shares become totals; a bank that solves opens its shares itself
    Declared("Masks", _SUMMED, "masked", keyed="totals"),
    Declared("Opened", (_TO_COORDINATOR,), "clear", label_derived=True, learns={COORDINATOR: "totals"}),
    # exact standard errors: the coordinator cannot open a pair's total, and takes its own mask off a sum of many
    Declared("PairSums", _SUMMED, "sealed", label_derived=True, learns={COORDINATOR: "ran"}, keyed="pair-totals"),
    Declared("Crossed", (_TO_COORDINATOR,), "clear", label_derived=True, learns={COORDINATOR: "crossed"}),
    # statistics and training
    Declared("Wish", (_TO_COORDINATOR,), label_derived=True, learns={COORDINATOR: "wish"}),
    Declared("Statistics", _SOLVED, label_derived=True, learns={BANK: "statistics"}),
    Declared("Pairs", _SUMMED, learns={COORDINATOR: "pairs"}),
    Declared("Own", (_TO_COORDINATOR,), label_derived=True, learns={COORDINATOR: "own"}),
    Declared("Step", _SOLVED, label_derived=True, learns={BANK: "step"}),
    Declared("Polish", (_TO_COORDINATOR,), label_derived=True, learns={COORDINATOR: "polish"}),
    Declared("Release", _SOLVED, label_derived=True, learns={BANK: "release"}),
    # blind scoring
    Declared("Table", ((COORDINATOR, TELCO),), "sealed", label_derived=True, learns={TELCO: "ran"}),
    Declared("Signature", ((COORDINATOR, TELCO),)),
    Declared("Scores", ((TELCO, BANK),), label_derived=True, learns={BANK: "scores"}, by_person=True),
    # where the contract says weights = "open"
    Declared("Points", ((COORDINATOR, TELCO),), label_derived=True, learns={TELCO: "weights"}),
    Declared("OpenScores", ((TELCO, BANK),), label_derived=True, learns={BANK: "scores"}, by_person=True),
    # a campaign's measurement
    Declared("Campaign", (_TO_COORDINATOR,), label_derived=True, learns={COORDINATOR: "campaign"}),
    Declared("Measured", _SOLVED, label_derived=True, learns={BANK: "measured"}),
    # columns that a scoring contract has told; no label enters them
    Declared("Told", ((TELCO, BANK),), learns={BANK: "levels"}, by_person=True),
    # planning: nothing in it hangs on a label, and the padding of a probe means nothing
    Declared("Probe", (_TO_TELCO,)),
    Declared("Offer", ((TELCO, BANK),), learns={BANK: "offer"}),
    Declared("Speed", ((TELCO, BANK), *_SOLVED), learns={BANK: "speed"}),
    # a probe, before any study
    Declared("Hello", _EVERY, learns={BANK: "probed", TELCO: "probed", COORDINATOR: "probed"}),
    Declared("Load", _EVERY),
)})
"""Every message there is. `Scores` is sealed on the wire under the key of its receiver, who reads it: declared clear."""
