"""docs/observability.md names the events, fields and metrics that there are."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import get_args

import yaml
from contracts import signed
from prometheus_client import generate_latest

from tandem.node.events import FIELDS, Event, Name, ours
from tandem.node.ledger_store import Ledger
from tandem.node.metrics import Metrics

PAGE = (Path(__file__).parents[2] / "docs" / "observability.md").read_text(encoding="utf-8")


def rows_of(table):
    """Return the names in the first column of the table that begins with this head."""
    lines = PAGE.split(f"\n| {table} |")[1].splitlines()[2:]
    cells = [line.split("|")[1] for line in itertools.takewhile(lambda line: line.startswith("|"), lines)]
    return re.findall(r"`(\w+)`", " ".join(cells))


def test_the_page_names_every_field_event_and_metric(tmp_path):
    assert rows_of("field") == list(FIELDS)
    assert sorted(rows_of("event")) == sorted(get_args(Name))
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        page = generate_latest(Metrics(ledger, lambda: [signed()]).registry).decode()
    assert set(rows_of("metric")) == set(re.findall(r"^# TYPE (\w+) ", page, re.MULTILINE))


def test_the_alerts_on_the_page_ask_for_metrics_that_there_are():
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    (rules,) = (group["rules"] for block in blocks for group in block.get("groups", []))
    assert len(rules) == 4
    for rule in rules:
        assert set(re.findall(r"tandem_\w+", rule["expr"])) <= set(rows_of("metric"))
        assert set(re.findall(r'reason="(\w+)"', rule["expr"])) <= {*ours(), "fault"}


def test_the_event_on_the_page_is_one():
    (text,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert json.loads(Event(**json.loads(text)).to_json()) == json.loads(text)
