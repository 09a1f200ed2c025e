"""`tandem doctor`: looks at everything between two machines that must be right before a study, and says what to do about what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tandem.contract import ROLES, Contract, Role
from tandem.doctor import home, peers, table
from tandem.doctor.findings import Finding, ok, warning
from tandem.doctor.listening import listening
from tandem.node.keys import Keys
from tandem.node.side import Side, side

FAILED = 2
_STYLES = {"ok": "green", "warning": "yellow", "wrong": "bold red"}
Progress = Callable[[str], None]


def doctor(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A bank's study.toml, or the node.toml of telco or coordinator.")],
    serving: Annotated[bool, typer.Option("--serving", help="Ask only whether this node serves: for health checks.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Look at keys, contract, table, and the way to each peer; say what is wrong and what to do. Exit 0, or 2 if something is wrong.

    Tables are spoken of in counts, never values. A peer is told our version and clock, under a contract that it honours.

    Example: tandem doctor bank/study.toml
    """
    console, found = Console(soft_wrap=False), side(config)
    with console.status("looking at this machine") as status:
        findings = list(serves(found) if serving else examine(found, status.update))
    _print(console, findings)
    faults = sum(each.level == "wrong" or (serving and each.level != "ok") for each in findings)
    if faults:
        raise typer.Exit(FAILED)


def serves(found: Side) -> Iterator[Finding]:
    """Look at the keys and at our own port alone."""
    own, told = home.own_keys(found)
    yield from told
    if own is None:
        return
    if found.listen:
        yield listening(found.role, own, found.listen)
    else:
        yield warning("this node", "a bank listens to nobody", "ask this of telco or coordinator")


def examine(found: Side, progress: Progress) -> Iterator[Finding]:
    """Look at everything, nearest first."""
    now = datetime.now(UTC)
    own, told = home.own_keys(found)
    yield from told
    if own is not None:
        yield home.certificate("our certificate", own.tls_certificate, now, "make a new one (docs/three-machines.md) and hand it out")
    agreed, told = home.contracts(found, own, now)
    yield from told
    contract = _chosen(agreed)
    for holding in found.holdings:
        progress("reading the table")
        yield from table.look(holding, _chosen([one for one in agreed if holding.serves(one.contract)]))
        yield from table.strangers(holding, [one.contract for one in agreed])
    if own is not None and found.listen:
        yield listening(found.role, own, found.listen)
    yield from _peers(found, own, contract, agreed, now, progress)


def _peers(
    found: Side, own: Keys | None, contract: Contract | None, agreed: list[home.Agreed], now: datetime, progress: Progress
) -> Iterator[Finding]:
    dialled: list[peers.Peer] = []
    told: dict[Role, list[Finding]] = {}
    for role in ROLES:
        if role in found.dials and _takes_part(role, agreed):
            pem, told[role] = home.peer_certificate(found, role, agreed, now)
            dialled.append(peers.Peer(role, found.dials[role], pem if own else None))
    if dialled:
        progress("reaching " + " and ".join(peer.role for peer in dialled))
    for role, more in peers.reach(found, dialled, now).items():
        told[role] += more
    whole = [peer for peer in dialled if peer.pinned and not any(each.level == "wrong" for each in told[peer.role])]
    if contract is not None and own is not None and whole:
        progress("probing " + " and ".join(peer.role for peer in whole))
        for role, more in peers.sound(found, own, contract, [peer for peer in whole if peer.role in contract.roles]).items():
            told[role] += more
    for peer in dialled:
        yield from told[peer.role]
        if contract is None and peer in whole:
            yield ok(f"{peer.role}: contract", "clock, version and speed are measured once a contract is signed")
        if contract is not None and peer.role not in contract.roles:
            yield ok(f"{peer.role}: contract", f"not probed: contract {contract.id[:8]} has no {peer.role}, its bank solves")


def _takes_part(role: Role, agreed: list[home.Agreed]) -> bool:
    """Tell whether some contract has this party, as far as we know any: where all banks solve there is no coordinator to reach."""
    return not agreed or any(role in one.contract.roles for one in agreed)


def _chosen(agreed: list[home.Agreed]) -> Contract | None:
    """Return a live contract, one of three parties if there is one, or else one that is signed: our clock may be wrong."""
    signed = [one.contract for one in agreed if not any(one.contract.signature_fault(role) for role in one.contract.roles)]
    live = sorted((one.contract for one in agreed if one.live), key=lambda one: -len(one.roles))
    return next(iter([*live, *signed]), None)


def _print(console: Console, findings: list[Finding]) -> None:
    board = Table(box=None, pad_edge=False)
    for name in ("", "looked at", "found"):
        board.add_column(name, overflow="fold", no_wrap=not name)
    for each in findings:
        remedy = f"\n[bold]->[/bold] {escape(each.remedy)}" if each.remedy else ""
        board.add_row(f"[{_STYLES[each.level]}]{each.level}[/]", escape(each.subject), escape(each.text) + remedy)
    console.print(board)
    counts = {level: sum(each.level == level for each in findings) for level in _STYLES}
    console.print(f"{counts['ok']} ok, {counts['warning']} warnings, {counts['wrong']} wrong")
