"""What a study will take, before it runs: ask both nodes, time our own kernels, predict, print.

Of the bank's file only the number of identifiers and of columns are used; nothing of it leaves.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bank_party.conduct import Caller
from bank_party.studies import Prepared
from tandem.arguments import Engine
from tandem.contract import BANK, COORDINATOR, TELCO, Contract
from tandem.contract.words import Language, role_name
from tandem.contract_commands import WIDTH
from tandem.crypto.opening import SecretKey
from tandem.crypto.paillier import Blinded
from tandem.errors import InputError, PeerLost
from tandem.node import machine
from tandem.node.casting import PLAYERS
from tandem.plan import kernels, memory, model, sealing
from tandem.plan.job import Job
from tandem.plan.model import Machines, Stage
from tandem.plan.traffic import Bytes
from tandem.sums.terms import Terms
from tandem.wire.codec import Frame, encode
from tandem.wire.messages import Sealed, Speed

LOOPBACK = ("127.", "localhost:", "[::1]:")
"""How an address on this very machine begins."""

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "stage": "stage", "minutes": "minutes", "up": "MB up", "down": "MB down", "align": "align customers",
        "start": "fit own columns alone", "pass": "pass {}", "further": "each of {} further passes", "score": "card and scores",
        "sealing": "seal and fold", "opening": "open sums and solve", "scoring": "fill and open scores", "study": "the study",
        "describe": "a look before it (describe)", "process": "process", "peak": "peak MB", "free": "free MB", "worker": "each {} worker",
        "size": "{asked:,} customers asked, {table:,} in the telco's table, {matched:,} matched; {columns} + {variables} variables, "
        "{bits} bits, {passes} passes",
        "asking": "asking the {}", "timing": "timing this machine", "all": "all who are asked, as far as the contract allows, match "
        "(--matched gives another number)",
        "absent": "the {} did not answer: this machine's speed and memory stand for its own ({})",
        "no_table": "the telco's table is as large, and its variables have as many bins, as the contract allows",
        "shared": "all three run on this machine and share its {} cores", "apart": "each party has a machine of its own",
        "exact": "the session for exact standard errors is left out: about one more pass, longer with many variables",
        "cover": "cover groups are left out: after the alignment rows, seconds and bytes grow up to {}-fold",
        "bank": "there is no coordinator: this machine solves; what the bank's two roles say to each other is not counted as traffic",
        "open": "scores are counted as if points were sealed: with open weights they take far less time, and fewer bytes",
        "spent_two": "This plan used up none of the contract's jobs, identifiers or bits; the ledgers of both parties hold it.",
        "shared_two": "both parties run on this machine and share its {} cores",
        "untagged": "the telco has not hashed its table yet: that is counted as part of the alignment",
        "assumed": "Assumed",
        "spent": "This plan used up none of the contract's jobs, identifiers or bits; the ledgers of all three hold it.",
        "little": "WARNING: the {} has {:,} MB free and needs about {:,} MB more",
    },
    "zh": {
        "stage": "阶段", "minutes": "分钟", "up": "发出 MB", "down": "收到 MB", "align": "对齐客户",
        "start": "单独拟合本方各列", "pass": "第 {} 轮", "further": "其余 {} 轮，每轮", "score": "评分卡与评分",
        "sealing": "加密与合并", "opening": "解密合计与求解", "scoring": "填充与解密评分", "study": "整个研究",
        "describe": "训练前的统计（describe）", "process": "进程", "peak": "峰值 MB", "free": "可用 MB", "worker": "{}每个工作进程",
        "size": "询问 {asked:,} 位客户，运营商名单 {table:,}，匹配 {matched:,}；变量 {columns} + {variables}，{bits} 位密钥，{passes} 轮",
        "asking": "询问{}", "timing": "测量本机", "all": "在合约允许范围内，被询问者全部匹配（可用 --matched 另设）",
        "absent": "{}没有回应：以本机的速度和内存代替（{}）",
        "no_table": "运营商名单大小和各变量箱数按合约上限计",
        "shared": "三方都在本机上运行，共用 {} 个核", "apart": "每一方各有一台机器",
        "exact": "未计入精确标准误一轮：约等于一轮训练（不含评分），变量多时更长",
        "cover": "未计入掩护组：对齐之后的行数、时间和字节最多增至 {} 倍",
        "bank": "没有协调方：由本机求解；银行两个角色之间的往来不计入流量",
        "open": "评分按密封分值计：明文权重下时间少得多，字节也更少",
        "spent_two": "本次计划不占用合约的任务次数、标识个数和披露比特；双方账本都有记录。",
        "shared_two": "双方都在本机上运行，共用 {} 个核",
        "untagged": "运营商尚未对名单做哈希：计入对齐", "assumed": "假设",
        "spent": "本次计划不占用合约的任务次数、标识个数和披露比特；三方账本都有记录。",
        "little": "警告：{}可用内存 {:,} MB，约需再占用 {:,} MB",
    },
}


@dataclass(frozen=True)
class Plan:
    """A prediction: the study as numbers, its stages, the look before it, peak memory by process, and what was assumed."""

    job: Job
    machines: Machines = field(repr=False)
    stages: list[Stage]
    look: Stage
    memory: dict[str, int]
    assumed: list[str]

    @property
    def seconds(self) -> float:
        """Seconds from alignment to scores."""
        return sum(stage.total for stage in self.stages)


async def ask(
    caller: Caller, contract: Contract, prepared: Prepared, matched: int, engine: Engine, workers: int, secret: SecretKey,
    addresses: tuple[str, str], told: Callable[[str], None], lang: Language,
) -> Plan:
    """Ask the peers, time this machine, and predict. `addresses`: of telco and coordinator; `matched`: 0 for all that can match.

    A peer that does not answer is replaced by this machine, and the plan says so. Raises InputError for a number matched that cannot be.
    """
    words, assumed = _WORDS[lang], []
    layout, terms = contract.layout, Terms.of(contract)
    resting, peak = machine.resident(), machine.peak()  # the file is read, and nothing timed yet: where the study starts as well
    asked = solver = None
    try:
        told(words["asking"].format(role_name(TELCO, lang)))
        asked = await caller.ask(time.perf_counter)
    except PeerLost as lost:
        assumed += [words["absent"].format(role_name(TELCO, lang), lost), words["no_table"]]
    alone = contract.solver == BANK
    if not alone:
        told(words["asking"].format(role_name(COORDINATOR, lang)))
        solver = await _asked(caller, assumed, lang)
    told(words["timing"])
    chance, cores = caller.chance.fork("plan"), machine.cores()
    own_work = sealing.measure(
        secret, terms.layout(secret.public), terms.columns, engine, workers, chance, time.perf_counter, lambda rows: _framed(contract, rows)
    )
    tables = machine.worker(engine, workers)
    own = kernels.measure(secret.public, engine, workers, cores, chance, time.perf_counter)
    own = replace(own, resident=resting, peak=peak, worker=tables, free=machine.free())
    shared = addresses[0].startswith(LOOPBACK)
    assumed.append(words["shared_two" if alone else "shared"].format(cores) if shared else words["apart"])
    table = contract.caps.table if asked is None else asked.offer.table
    if asked is not None and not asked.offer.ready:
        assumed.append(words["untagged"])
    most = min(len(prepared.ids), table, contract.caps.roster)
    if not 0 <= matched <= most:
        raise InputError(f"--matched {matched}: at most {most} can match, by the bank's file, the telco's table and the contract")
    if not matched:
        assumed.insert(0, words["all"])
    assumed += _left_out(contract, words)
    job = Job(
        asked=len(prepared.ids), table=table, ready=asked is None or asked.offer.ready, matched=matched or most,
        bins=(layout.bins,) * contract.telco.variables if asked is None else asked.offer.bins, terms=terms,
        training=1.0 - float(layout.hold_out_share),
    )
    machines = Machines(
        sealer=own, sealing=own_work, summer=own if asked is None else asked.speed, solver=solver or own,
        transfer=own_work.framing if asked is None else asked.transfer, shared=shared,
    )
    plan = Plan(job, machines, model.stages(job, machines), model.look(job, machines), memory.peaks(job, machines), assumed)
    return _of_two(plan) if alone else plan


async def _asked(caller: Caller, assumed: list[str], lang: Language) -> Speed | None:
    """Return the coordinator's speed; where it does not answer, say so."""
    try:
        return await caller.ask_coordinator()
    except PeerLost as lost:
        assumed.append(_WORDS[lang]["absent"].format(role_name(COORDINATOR, lang), lost))
        return None


def _left_out(contract: Contract, words: dict[str, str]) -> list[str]:
    """Return what the prediction does not follow of this contract's choices, in words."""
    layout = contract.layout
    choices = {
        "bank": contract.solver == BANK, "open": layout.weights == "open", "exact": layout.se == "exact", "cover": layout.cover > 1,
    }
    return [words[name].format(layout.cover) for name, made in choices.items() if made]


def _of_two(plan: Plan) -> Plan:
    """Return the plan where the bank solves: its solver's memory and its traffic with the telco are the bank's own."""
    peaks = dict(plan.memory)
    peaks["sealer"] += max(0, peaks.pop("solver") - plan.machines.solver.resident)

    def joined(stage: Stage) -> Stage:
        traffic: Bytes = {}
        for way, size in stage.traffic.items():
            speaker, listener = ("sealer" if role == "solver" else role for role in way)
            if speaker != listener:
                traffic[speaker, listener] = traffic.get((speaker, listener), 0) + size
        return replace(stage, traffic=traffic)

    return replace(plan, stages=[joined(stage) for stage in plan.stages], look=joined(plan.look), memory=peaks)


def show(console: Console, plan: Plan, lang: Language) -> None:
    """Print stages, memory and what was assumed, fit for 80 columns."""
    words, job = _WORDS[lang], plan.job
    sizes = {"asked": job.asked, "table": job.table, "matched": job.matched, "columns": job.columns, "variables": len(job.bins)}
    console.print(words["size"].format(**sizes, bits=job.terms.key_bits, passes=job.terms.passes))
    console.print()
    table = Table(words["stage"], box=None)
    for name in ("minutes", "up", "down"):
        table.add_column(words[name], justify="right")
    passes = [stage for stage in plan.stages if stage.name.startswith("pass")]
    for stage in plan.stages:
        if stage in passes[1:]:
            if stage is passes[1]:
                table.add_row(words["further"].format(len(passes) - 1), *_row(stage))
            continue
        table.add_row(words["pass"].format(1) if stage in passes else words[stage.name], *_row(stage))
        if stage in passes:
            for part, seconds in stage.seconds.items():
                table.add_row(f"  {words[part]}", _minutes(seconds), "", "", style="dim")
    up, down = (sum(_way(stage.traffic)[way] for stage in plan.stages) for way in (0, 1))
    table.add_row(words["study"], _minutes(plan.seconds), _megabytes(up), _megabytes(down), style="bold")
    table.add_row(words["describe"], *_row(plan.look), style="dim")
    console.print(table)
    console.print()
    _show_memory(console, plan, lang)
    console.print(words["assumed"], style="bold")
    for text in plan.assumed:
        line = Table(show_header=False, box=None, pad_edge=False, width=WIDTH)
        line.add_column(width=1)
        line.add_column(overflow="fold", ratio=1)
        line.add_row("-", escape(text))
        console.print(line)
    console.print()


def spent(contract: Contract, lang: Language) -> str:
    """Return the sentence about what the plan itself cost."""
    return _WORDS[lang]["spent" if COORDINATOR in contract.roles else "spent_two"]


def facts(plan: Plan) -> dict[str, object]:
    """Return the plan as plain values: seconds, bytes each way, memory in bytes."""
    job = plan.job
    return {
        "asked": job.asked, "table": job.table, "matched": job.matched, "columns": job.columns, "bins": list(job.bins),
        "key_bits": job.terms.key_bits, "passes": job.terms.passes, "assumed": plan.assumed, "seconds": plan.seconds,
        "stages": [_stage(stage) for stage in plan.stages], "look": _stage(plan.look),
        "bytes": _ways([stage.traffic for stage in plan.stages]),
        "peak_memory": {_process(name, "en"): size for name, size in plan.memory.items()},
    }


def _show_memory(console: Console, plan: Plan, lang: Language) -> None:
    words = _WORDS[lang]
    table = Table(words["process"], box=None)
    for name in ("peak", "free"):
        table.add_column(words[name], justify="right")
    for process, size in plan.memory.items():
        table.add_row(_process(process, lang), f"{size / 1e6:,.0f}", _free(plan, process))
    console.print(table)
    console.print()
    for warning in _warnings(plan, lang):
        console.print(warning, style="yellow")


def _stage(stage: Stage) -> dict[str, object]:
    return {"name": stage.name, "seconds": stage.total, "parts": stage.seconds, "bytes": _ways([stage.traffic])}


def _ways(traffic: list[Bytes]) -> dict[str, int]:
    """Return bytes by (sender to receiver), as result.json names them."""
    found: dict[str, int] = {}
    for one in traffic:
        for (speaker, listener), size in one.items():
            way = f"{PLAYERS[speaker]} to {PLAYERS[listener]}"
            found[way] = found.get(way, 0) + size
    return found


def _way(traffic: Bytes) -> tuple[int, int]:
    """Return the bytes that the bank sends and those that it receives."""
    up = sum(size for (speaker, _), size in traffic.items() if PLAYERS[speaker] == BANK)
    return up, sum(size for (_, listener), size in traffic.items() if PLAYERS[listener] == BANK)


def _row(stage: Stage) -> tuple[str, str, str]:
    up, down = _way(stage.traffic)
    return _minutes(stage.total), _megabytes(up), _megabytes(down)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f}" if seconds >= 60 else f"{seconds / 60:.2f}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f}"


def _process(name: str, lang: Language) -> str:
    role, _, worker = name.partition(" ")
    party = role_name(PLAYERS[role], lang)
    return _WORDS[lang]["worker"].format(party) if worker else party


def _speed(plan: Plan, name: str) -> Speed:
    on = plan.machines
    return {"sealer": on.sealer, "summer": on.summer, "solver": on.solver}[name.partition(" ")[0]]


def _free(plan: Plan, name: str) -> str:
    speed = _speed(plan, name)
    return "" if " " in name or not speed.free else f"{speed.free / 1e6:,.0f}"


def _warnings(plan: Plan, lang: Language) -> list[str]:
    """Return a line for each machine whose free memory is less than what its party's processes will still take."""
    found = []
    for role in [name for name in ("sealer", "summer", "solver") if name in plan.memory]:
        speed = _speed(plan, role)
        more = plan.memory[role] - speed.resident
        if f"{role} worker" in plan.memory:
            more += speed.workers * (plan.memory[f"{role} worker"] - speed.worker)
        if 0 < speed.free < more:
            found.append(_WORDS[lang]["little"].format(role_name(PLAYERS[role], lang), speed.free // 10**6, more // 10**6))
    return found


def _framed(contract: Contract, rows: Blinded) -> Frame:
    """Make a frame of sealed rows and read it again: what a byte costs where nobody is at the other end."""
    payload = encode(Sealed(0, rows))
    return Frame.from_bytes(Frame(contract.digest, bytes(16), "sealer", 1, 1, bytes(32), "Sealed", payload).to_bytes())
