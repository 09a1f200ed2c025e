"""Each party is killed once amid a study, and each cable cut for two seconds: scripts/kill_every_step, which does it at every turn."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tandem.contract import ROLES

SCRIPT = Path(__file__).parents[2] / "scripts" / "kill_every_step"


def test_a_study_that_is_killed_or_cut_off_ends_with_the_same_bits(tmp_path):
    out = tmp_path / "kills.json"
    command = [sys.executable, str(SCRIPT), "--passes", "1", "--sample", "3", "--cut", "2", "--json", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(out.read_text())
    assert (found["resumed_share"], found["ledgers_hold"]) == (1.0, True)
    assert [(one["what"], one["party"]) for one in found["runs"]] == [
        ("cut", "bank to telco"), ("cut", "telco to coordinator"), *(("kill", role) for role in ROLES),
    ]
    assert all(one["hit"] and one["identical"] and one["why"] == "" for one in found["runs"])
