from __future__ import annotations

import ast
import os
import re
import subprocess
import tomllib
from importlib.metadata import EntryPoint, distribution, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGES = ("tandem", "telco_party", "bank_party", "coordinator")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MODULES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
WRITTEN = [path for path in MODULES if not path.name.endswith("_pb2.py")]
OURS = [*WRITTEN, *sorted((ROOT / "tests").rglob("*.py"))]
SCRIPTS = sorted(path for path in [*(ROOT / "scripts").iterdir(), *(ROOT / ".ci").iterdir()] if path.is_file())
LINES = 400
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"`((?:tandem|telco_party|bank_party|coordinator|tests|scripts|docs|proto)/[\w./*-]+)`")
COMMAND = re.compile(
    r"(?:^|`)tandem (bank|telco|coordinator|city|contract|ledger|audit|demo|init|admit|doctor|plan|jobs)\b(?: ([a-z]+)\b)?", re.MULTILINE
)
BARE = re.compile(r"\bPSI\b")
EXPLAINED = re.compile(r'"PSI"|salted-hash PSI|PSI \(stability|Stability index \(PSI')
LOOSE_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "manager"}


def named(path):
    return str(path.relative_to(ROOT))


def anchors(page):
    heads = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_into_the_repository_leads_somewhere(page):
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    lost = []
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        path = (page.parent / place).resolve() if place else page
        if not path.exists() or ROOT not in [path, *path.parents] or (anchor and anchor not in anchors(path)):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_modules_that_a_page_names_exist(page):
    places = PLACE.findall(page.read_text(encoding="utf-8"))
    assert [place for place in places if not list(ROOT.glob(place.rstrip("/")))] == []


def test_the_readmes_two_commands_are_one_line_each_and_can_be_run():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## Two commands")[1].split("\n## ")[0]
    first, second = [block.strip() for block in re.findall(r"```bash\n(.*?)```", section, re.DOTALL)][:2]
    assert (first, second) == ("scripts/demo", "scripts/test")
    for command in (first, second):
        assert os.access(ROOT / command, os.X_OK)


@pytest.mark.parametrize("path", [path for path in SCRIPTS if path.name != "environment"], ids=named)
def test_every_script_says_what_runs_it_and_may_be_run(path):
    assert path.read_text(encoding="utf-8").startswith("#!/usr/bin/env ")
    assert os.access(path, os.X_OK)


@pytest.mark.parametrize("path", [path for path in SCRIPTS if "bash" in path.read_text(encoding="utf-8").split("\n")[0]], ids=named)
def test_shell_scripts_parse(path):
    done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, check=False)  # noqa: S607 - bash is what runs them
    assert (done.returncode, done.stderr) == (0, "")


def test_commands_in_the_docs_are_commands_that_exist():
    asked = set()
    for page in PAGES:
        asked |= set(COMMAND.findall(page.read_text(encoding="utf-8")))
    known = {
        "bank": {
            "train", "score", "describe", "report", "lift", "derive", "campaign", "measure", "feedback", "compare", "models", "answer",
        },
        "telco": {"serve", "derive", "coverage", "variables", "exposure", "budget"}, "coordinator": {"serve"}, "city": {"make", "respond"},
        "contract": {"new", "sign", "verify", "show"}, "ledger": {"show", "verify", "compare", "export", "page"},
        "audit": {"key", "ask", "open", "report"},
    }
    points = PROJECT["project"]["entry-points"]["tandem.commands"]
    assert {group for group, _ in asked} <= set(points)
    assert {what for group, what in asked if group == "init" and what} <= {"bank", "telco", "coordinator"}
    asked = {pair for pair in asked if pair[0] in known}  # the others are commands without sub-commands: what follows is an argument
    for group, names in known.items():
        app = EntryPoint(group, points[group], "tandem.commands").load()
        groups = {one.name or one.typer_instance.info.name for one in app.registered_groups}
        assert {command.name or command.callback.__name__ for command in app.registered_commands} | groups == names
    assert {pair for pair in asked if pair[1] and pair[1] not in known.get(pair[0], set())} == set()


def test_every_entry_point_resolves():
    points = {**PROJECT["project"]["scripts"], **PROJECT["project"]["entry-points"]["tandem.commands"]}
    points |= {f"side {name}": value for name, value in PROJECT["project"]["entry-points"]["tandem.sides"].items()}
    assert {name: callable(EntryPoint(name, value, "any").load()) for name, value in points.items()} == dict.fromkeys(points, True)


def test_no_module_has_a_name_that_says_nothing():
    assert [named(path) for path in OURS if LOOSE_NAMES & {*path.with_suffix("").parts[len(ROOT.parts):]}] == []


def test_no_module_is_too_long():
    sizes = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in WRITTEN}
    assert {name: size for name, size in sizes.items() if size >= LINES} == {}


def test_nobody_says_psi_without_saying_which():
    texts = {path: path.read_text(encoding="utf-8") for path in [*OURS, *PAGES, *SCRIPTS] if path != Path(__file__)}
    assert [named(path) for path, text in texts.items() if BARE.search(EXPLAINED.sub("", text))] == []


def test_protocol_rooms_do_not_speak_of_parties_in_their_names():
    rooms = [ROOT / "tandem" / room for room in ("align", "describe", "train", "measure", "score", "tell", "sums", "session", "crypto")]
    bound = [
        f"{named(path)}: {node.name}"
        for room in rooms
        for path in sorted(room.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and re.search(r"bank|telco", node.name, re.IGNORECASE)
    ]
    assert bound == []


def runtime(name, extras=frozenset(), seen=None):
    """Return every distribution that `name` needs to run here, itself included."""
    seen = set() if seen is None else seen
    if (canonicalize_name(name), extras) in seen:
        return seen
    seen.add((canonicalize_name(name), extras))
    for text in requires(name) or []:
        one = Requirement(text)
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras or {""}):
            runtime(one.name, frozenset(one.extras), seen)
    return seen


def licence(name):
    found = distribution(name).metadata
    classifiers = [value for value in found.get_all("Classifier") or [] if value.startswith("License")]
    return " ".join([found.get("License-Expression") or "", (found.get("License") or "")[:200], *classifiers])


def test_nothing_that_we_need_to_run_is_under_the_gpl():
    extras = PROJECT["project"]["optional-dependencies"]
    texts = [*PROJECT["project"]["dependencies"], *(text for extra, listed in extras.items() if extra != "dev" for text in listed)]
    declared = [Requirement(text).name for text in texts]
    needed = {name for one in declared for name, _ in runtime(one)}
    assert {"numpy", "duckdb", "pg8000"} <= needed
    assert "phe" not in needed
    strict = re.compile(r"(?<!L)(?<!Lesser )\bA?GPL|(?<!Lesser )General Public License|Affero", re.IGNORECASE)
    assert strict.search("GPLv3")
    assert not strict.search("LGPL-3.0-or-later GNU Lesser General Public License v3")
    assert {name: licence(name) for name in needed if strict.search(licence(name))} == {}


def test_phe_is_for_tests_and_benchmarks_alone():
    dev = [Requirement(text).name for text in PROJECT["project"]["optional-dependencies"]["dev"]]
    assert "phe" in dev
    assert "phe" not in [Requirement(text).name for text in PROJECT["project"]["dependencies"]]
    users = [named(path) for path in WRITTEN if re.search(r"^\s*(import|from) phe\b", path.read_text(encoding="utf-8"), re.MULTILINE)]
    assert users == []


def test_the_wheel_holds_the_four_packages_and_no_test():
    target = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    recorded = {"docs/security/attacks.json": "tandem/audit/attacks.json"}  # results alone: `tandem audit report` shows them
    assert target == {"packages": list(PACKAGES), "force-include": recorded}
    inside = [path.relative_to(ROOT) for name in PACKAGES for path in (ROOT / name).rglob("*") if "__pycache__" not in path.parts]
    named_so = {"tests", "weak", "attacks"}
    assert [str(path) for path in inside if path.name.startswith(("test_", "conftest")) or named_so & set(path.parts)] == []


def test_no_page_names_a_machine_of_ours():
    private = re.compile(r"/(?:work|root|home|tmp|opt)/\w|file://")
    assert [named(path) for path in [*PAGES, *SCRIPTS, *WRITTEN] if private.search(path.read_text(encoding="utf-8"))] == []
