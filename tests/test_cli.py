from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import typer

from tandem import __version__, cli
from tandem.errors import InputError
from tandem.node.ledger_store import Ledger

ROOT = Path(__file__).parents[1]
ONE = typer.Typer()


@ONE.command()
def serve():
    raise InputError("column\n  'age' is missing: add it")


def crash():
    raise ZeroDivisionError("row 7 holds 13800138000")


def stop():
    raise KeyboardInterrupt


def fine(number: int = 1):
    typer.echo(f"fine {number}")


@pytest.fixture(autouse=True)
def commands(monkeypatch):
    monkeypatch.setenv("TANDEM_DEBUG", "0")
    monkeypatch.setitem(sys.modules, "here", sys.modules[__name__])
    targets = {
        "one": "here:ONE", "crash": "here:crash", "stop": "here:stop", "fine": "here:fine",
        "ledger": "tandem.ledger_commands:app", "contract": "tandem.contract_commands:app",
        "ghost": "party_that_is_not_installed.main:app", "demo": "tandem.not_written_yet:demo",
    }
    found = [EntryPoint(name, target, cli.GROUP) for name, target in targets.items()]
    monkeypatch.setattr(cli, "entry_points", lambda group: found if group == cli.GROUP else [])


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    return ended.value.code or 0


def test_a_foreseen_failure_is_one_line_on_stderr_and_exit_2(capsys):
    assert run("one", "serve") == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", "column 'age' is missing: add it\n")


def test_an_unforeseen_failure_shows_no_traceback_and_no_values(capsys):
    assert run("crash") == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "unexpected ZeroDivisionError" in err
    assert "13800138000" not in err
    assert "Traceback" not in err


@pytest.mark.parametrize("how", ["option", "environment"])
def test_debug_shows_the_traceback(how, capsys, monkeypatch):
    if how == "environment":
        monkeypatch.setenv("TANDEM_DEBUG", "1")
    assert run(*(["--debug"] if how == "option" else []), "crash") == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_says_that_nothing_was_lost_and_exits_130(capsys):
    assert run("stop") == 130
    assert capsys.readouterr().err.startswith("stopped; nothing was lost: ")


def test_a_command_and_its_options_are_reached(capsys):
    assert run("fine", "--number", "3") == 0
    assert capsys.readouterr().out == "fine 3\n"
    assert run("fine", "--nonsense") == 2
    assert run("nonsense") == 2


def test_version(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out == f"tandem {__version__}\n"


def test_help_lists_what_is_installed_and_only_that(capsys):
    assert run("--help") == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("contract", "ledger", "fine"))
    assert "ghost" not in out
    assert "demo" not in out
    assert run("ghost") == 2


@pytest.mark.parametrize("arguments", [("contract", "new"), ("contract", "sign"), ("contract", "verify"), ("contract", "show"),
                                       ("ledger", "show"), ("ledger", "verify"), ("ledger", "compare"), ("ledger", "export"),
                                       ("ledger", "page")])
def test_every_command_explains_itself_with_an_example(arguments, capsys):
    assert run(*arguments, "--help") == 0
    assert "Example: tandem" in capsys.readouterr().out


def test_exit_codes_of_real_commands(tmp_path, capsys):
    with Ledger(tmp_path / "ledger.sqlite"):
        pass
    assert run("ledger", "verify", str(tmp_path / "ledger.sqlite")) == 0
    assert run("ledger", "verify", str(tmp_path / "none")) == 2
    assert run("contract", "verify", str(tmp_path / "none")) == 2
    (tmp_path / "broken.toml").write_text("x")
    assert run("contract", "show", str(tmp_path / "broken.toml")) == 2
    assert "not TOML" in capsys.readouterr().err


def test_no_core_dump_of_a_command_or_its_workers_is_ever_written():
    """A dump would hold keys. Asked of a child, since workers are children."""
    asking = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"
    script = (
        "import subprocess, sys; from tandem.cli import main\n"
        "try:\n    main(['--version'])\nexcept SystemExit:\n    pass\n"
        f"subprocess.run([sys.executable, '-c', {asking!r}], check=True)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "(0, 0)"


def test_help_imports_no_sub_command():
    code = (
        "import sys\nfrom tandem.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted(m for m in sys.modules if m in {'pydantic', 'numpy', 'grpc', 'pandas', 'tandem.contract', 'bank_party.main'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.endswith("[]\n")
