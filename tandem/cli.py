"""The command `tandem`: sub-commands are found by entry point (`tandem.commands`) and imported only when called.

So `tandem --help` is quick, a machine may lack a party's package, and this floor imports no party. Every failure that we foresaw is one
line on stderr and exit code 2; a failure that we did not foresee is one line and exit code 1, with the traceback under --debug.
"""

from __future__ import annotations

import os
import resource
import sys
import traceback
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup
from typer.main import get_command, get_group

from tandem import __version__
from tandem.errors import TandemError

GROUP = "tandem.commands"
STOPPED = "stopped; nothing was lost: every file is written whole or not at all, and the ledger holds what was sent. Start it again"
REFUSED, UNFORESEEN, INTERRUPTED = 2, 1, 130
"""Exit codes."""

_SUMMARIES = {
    "demo": "Make data, start all three parties and run the whole path.",
    "init": "Make a party's folder: keys, configuration, what to hand out.",
    "admit": "Take in what another party handed out.",
    "doctor": "Say what is wrong between two machines, and what to do.",
    "plan": "Say what a study will take, and what each party will learn, before it runs.",
    "contract": "Draft, sign, check and read contracts.",
    "ledger": "Read, check, compare and export ledgers.",
    "audit": "Check sealed rows afterwards; see what attacks meet here.",
    "jobs": "Say what this node's jobs stand at.",
    "city": "Invent people to exercise on, and let them answer a campaign.",
    "bank": "The bank's node: train, score.",
    "telco": "The telco's node: serve.",
    "coordinator": "The coordinator's node: serve.",
}
"""Short help in this order, so that the list needs no import; others follow by name."""


class Parties(TyperGroup):
    """The root: knows the names of its sub-commands, and imports one when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        """Return the installed sub-commands, the known ones first."""
        names = {point.name for point in _points()}
        return [name for name in _SUMMARIES if name in names] + sorted(names - set(_SUMMARIES))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer's signature
        """Return a stand-in that has the name and a short help: enough for the list."""
        if any(point.name == cmd_name for point in _points()):
            return get_command(_stand_in(cmd_name))
        return None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the real command, imported now."""
        name, command, rest = super().resolve_command(ctx, args)
        for point in _points():
            if point.name == name:
                command = _load(point)
                command.name = name
        return name, command, rest

    def invoke(self, ctx: Any) -> Any:
        """Run it. Ctrl-C is said in words; typer would end in silence."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            _say(STOPPED)
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(name="tandem", cls=Parties, add_completion=False, no_args_is_help=True, rich_markup_mode="rich")


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer's signature
    if wanted:
        typer.echo(f"tandem {__version__}")
        raise typer.Exit


@app.callback()
def _tandem(
    debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks (or set TANDEM_DEBUG=1).")] = False,  # noqa: FBT002 - a switch
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,  # noqa: ARG001, FBT002 - as above
) -> None:
    """Two parties align customers, train one model and score: the bank's rows stay sealed, the telco's stay at home."""
    if debug:
        os.environ["TANDEM_DEBUG"] = "1"  # processes that we start inherit it


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; always ends in SystemExit. No process of it leaves a core dump: that would hold keys."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        get_group(app)(arguments, prog_name="tandem")
    except TandemError as failure:
        _say(str(failure))
        _trace()
        sys.exit(REFUSED)
    except Exception as failure:  # noqa: BLE001 - the last resort: the user gets a line, not a page
        _say(f"unexpected {type(failure).__name__}: this is a fault of tandem. Run again with --debug and report what it prints")
        _trace()
        sys.exit(UNFORESEEN)


def _say(text: str) -> None:
    Console(stderr=True, soft_wrap=True, highlight=False).print(" ".join(text.split()), style="red", markup=False)


def _trace() -> None:
    if os.environ.get("TANDEM_DEBUG") == "1":
        traceback.print_exc()


def _points() -> list[EntryPoint]:
    return [point for point in entry_points(group=GROUP) if _is_there(point)]


def _is_there(point: EntryPoint) -> bool:
    try:
        return find_spec(point.module) is not None
    except ModuleNotFoundError:
        return False


def _stand_in(name: str) -> typer.Typer:
    stand_in = typer.Typer()
    stand_in.command(name, help=_SUMMARIES.get(name, ""))(lambda: None)
    return stand_in


def _load(point: EntryPoint) -> Any:
    found = point.load()
    if isinstance(found, typer.Typer):
        return get_group(found)  # a group even if it has one command only: `tandem telco serve`
    single = typer.Typer(rich_markup_mode="rich")
    single.command(point.name)(found)
    return get_command(single)


if __name__ == "__main__":
    main()
