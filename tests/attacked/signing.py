"""A telco that is asked to sign: its folder with keys, configuration and table, and the draft that a bank sent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from typer.testing import CliRunner, Result

from tandem.arguments import Seeded
from tandem.contract import loads
from tandem.contract_commands import app
from tandem.node.certificates import make_parties


class Draft:
    """One draft after another in one place, over one table of `codes`."""

    def __init__(self, place: Path, codes: np.ndarray) -> None:
        self._place, self.file, self._variables = place, place / "contract.toml", codes.shape[1]
        make_parties(place, chance=Seeded(b"signing"))
        heads = ",".join(("phone", *(f"v{j}" for j in range(codes.shape[1]))))
        lines = (",".join((f"138{i:08}", *map(str, row))) for i, row in enumerate(codes.tolist()))
        (place / "telco" / "telco.csv").write_text("\n".join([heads, *lines]) + "\n")
        (place / "telco" / "node.toml").write_text('listen = "127.0.0.1:7443"\n[table]\nsource = "telco.csv"\nid = "phone"\n')

    def new(self, *options: str) -> None:
        """Draft as the bank does."""
        cards = [text for role in ("bank", "telco", "coordinator") for text in (f"--{role}", str(self._place / role / f"{role}.toml"))]
        needed = ("--description", "Dormant cards", "--identifiers", "20000", "--table", "30000", "--bank-columns", "12", "--force")
        self._run("new", *cards, *needed, *options)

    def signed(self, *options: str) -> Result:
        """Let the telco sign; return what the command did."""
        return self._run("sign", "--keys", str(self._place / "telco" / "keys"), "--variables", str(self._variables), "--yes", *options)

    @property
    def holds(self) -> bool:
        """Whether the file bears the telco's signature."""
        return not loads(self.file.read_text()).signature_fault("telco")

    def _run(self, command: str, *options: str) -> Result:
        return CliRunner().invoke(app, [command, str(self.file), *options])
