"""Bad input ends in one clear line and exit code 2, before anybody is called and with nothing written."""

from __future__ import annotations

import asyncio
import tomllib
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint

import pytest
import tomli_w
from three_parties import CUSTOMERS, make_site, run_study, serving, tables

from tandem import cli
from tandem.contract import BANK, TELCO, dumps
from tandem.contract.fields import MOMENT
from tandem.errors import InputError, PeerLost
from tandem.node import disk


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def site(made, monkeypatch):
    """The same site for every test, its files as they were at first."""
    kept = {path: (path.read_bytes(), path.stat().st_mode) for path in made.root.rglob("*") if path.is_file()}
    found = [EntryPoint(name, f"{module}.main:app", cli.GROUP) for name, module in {
        "bank": "bank_party", "telco": "telco_party", "coordinator": "coordinator",
    }.items()]
    monkeypatch.setattr(cli, "entry_points", lambda group: found if group == cli.GROUP else [])
    monkeypatch.setenv("TANDEM_DEBUG", "0")
    contract = made.contract
    yield made
    made.contract = contract
    for path, (data, mode) in kept.items():
        path.write_bytes(data)
        path.chmod(mode)


@pytest.fixture
def refused(site, capsys):
    """Run a command that must fail: exit code 2, nothing on stdout, one line on stderr that is returned, nothing in out/."""
    def run(*command):
        with pytest.raises(SystemExit) as ended:
            cli.main(list(command or ("bank", "train", str(site.study))))
        out, err = capsys.readouterr()
        assert ended.value.code == 2, err
        assert err.count("\n") == 1, err
        assert "Traceback" not in out + err
        assert not (site.folder(BANK) / "out").exists()
        assert "p00" not in err, "an identifier was shown"
        return err

    return run


def change_study(site, **fields):
    study = tomllib.loads(site.study.read_text())
    for name, value in fields.items():
        study[name] = {**study[name], **value} if isinstance(value, dict) else value
    disk.write(site.study, tomli_w.dumps(study).encode())


def rewrite(site, change, role=BANK):
    path = site.folder(role) / f"{role}.csv"
    lines = [line.split(",") for line in path.read_text().splitlines()]
    path.write_text("\n".join(",".join(cells) for cells in change(lines)) + "\n")


def column(site, name, values, role=BANK):
    def change(lines):
        at = lines[0].index(name)
        for number, line in enumerate(lines[1:]):
            line[at] = values(number, line[at])
        return lines

    rewrite(site, change, role)


def test_a_missing_study(refused, tmp_path):
    assert "it does not exist: check the path" in refused("bank", "train", str(tmp_path / "none.toml"))


def test_a_study_with_an_unknown_field_names_it(site, refused):
    change_study(site, lable="label")
    assert "lable is no field of this version" in refused()


def test_a_missing_file(site, refused):
    change_study(site, table={"file": "nowhere.csv"})
    assert "nowhere.csv" in refused()


@pytest.mark.parametrize(("where", "text"), [({"table": {"id": "msisdn"}}, "msisdn"), ({"label": "converted"}, "converted")])
def test_a_missing_column(site, refused, where, text):
    change_study(site, **where)
    assert text in refused()


def test_no_label_named(site, refused):
    change_study(site, label="")
    assert 'add label = "..." to it' in refused()


@pytest.mark.parametrize(("values", "text"), [
    (lambda *_: "1", "label 'label' has one value in all 360 rows: exactly two are needed"),
    (lambda number, _: str(number % 3), "label 'label' has 3 different values in 360 rows"),
    (lambda number, _: ["red", "blue"][number % 2], "it is not plain which is 1: say so with positive"),
    (lambda number, old: "" if number == 4 else old, "label 'label' is missing in 1 of 360 rows (rows 5)"),
])
def test_a_label_that_is_none(site, refused, values, text):
    column(site, "label", values)
    assert text in refused()


def test_duplicate_identifiers_are_counted_and_named_by_row(site, refused):
    column(site, "phone", lambda number, old: "p0003" if number == 9 else old)
    line = refused()
    assert "1 is a repetition of an earlier one: row 10" in line
    assert "set keep to 'first' or 'last'" in line


def test_empty_identifiers_are_counted_and_named_by_row(site, refused):
    column(site, "phone", lambda number, old: "" if number in {1, 2} else old)
    assert "2" in refused()


@pytest.mark.parametrize("bad", ["inf", "-inf", "1e999"])
def test_infinities_are_refused(site, refused, bad):
    column(site, "age", lambda number, old: bad if number == 7 else old)
    line = refused()
    assert "age" in line
    assert "8" in line


def test_a_cell_that_reads_nan_is_a_missing_value_and_no_failure(site, refused):
    column(site, "age", lambda number, old: "NaN" if number == 7 else old)
    assert "cannot be reached" in refused()  # the file was read, and the telco is not there


def test_other_columns_than_the_contract_names(site, refused):
    change_study(site, table={"drop": ["age"]})
    assert "layout.bank_columns is 2, bank.csv gives 1" in refused()


def test_more_customers_than_the_contract_allows(site, refused):
    site.amend({"caps": {"identifiers": CUSTOMERS - 1, "roster": CUSTOMERS - 1}})
    assert f"{CUSTOMERS} customers, caps.identifiers is {CUSTOMERS - 1}" in refused()


@pytest.mark.parametrize("name", ["tls.key", "sign.key", "seed"])
@pytest.mark.parametrize(("role", "command"), [("bank", "train"), ("telco", "serve"), ("coordinator", "serve")])
def test_a_key_file_that_others_may_read(site, refused, name, role, command):
    (site.folder(role) / "keys" / name).chmod(0o644)
    given = (str(site.study),) if role == BANK else ("--config", str(site.folder(role) / "node.toml"))
    line = refused(role, command, *given)
    assert f"{name} can be read or changed by others: `chmod 600" in line


def test_an_expired_contract(site, refused):
    start = datetime.now(UTC) - timedelta(days=9)
    site.amend({"start": start.strftime(MOMENT), "expiry": (start + timedelta(days=2)).strftime(MOMENT)})
    assert "expiry was" in refused()


def test_an_unsigned_contract(site, refused):
    (site.folder(BANK) / "contract.toml").write_text(dumps(site.contract.amended({"signatures": {"telco": "", "coordinator": ""}})))
    line = refused()
    assert "the telco has not signed; the coordinator has not signed" in line
    assert "tandem contract sign" in line


def test_an_altered_contract(site, refused):
    path = site.folder(BANK) / "contract.toml"
    path.write_text(path.read_text().replace("min_matched = 100", "min_matched = 101"))
    assert "the signature of the bank does not fit" in refused()


def test_a_contract_that_is_none(site, refused):
    (site.folder(BANK) / "contract.toml").write_text("x")
    assert "not TOML" in refused()


def test_keys_that_the_contract_does_not_name(site, refused, tmp_path):
    other = make_site(tmp_path / "other")
    change_study(site, keys=str(other.folder(BANK) / "keys"))
    assert "these are not the keys that contract" in refused()


def test_a_peer_with_the_wrong_pin(site, refused, tmp_path):
    other = make_site(tmp_path / "other")
    (site.folder(BANK) / "peers" / "telco.pem").write_bytes((other.folder(BANK) / "peers" / "telco.pem").read_bytes())
    assert "belongs to no party" in refused()
    (site.folder(BANK) / "peers" / "telco.pem").write_bytes((site.folder(BANK) / "peers" / "coordinator.pem").read_bytes())
    assert "holds the key of another party" in refused()


def test_a_peer_that_is_not_there(refused):
    assert "the telco cannot be reached" in refused()


def test_a_training_contract_scores_nobody(site, refused):
    assert "is for training: use `tandem bank train`" in refused("bank", "score", str(site.study))


def test_a_scoring_contract_trains_nobody_and_wants_the_model_it_names(site, refused):
    site.amend({"kind": "scoring", "training": "11" * 32, "card": "22" * 32})
    assert "is for scoring: use `tandem bank score`" in refused()
    assert 'add model = "out/model.json" to it' in refused("bank", "score", str(site.study))
    change_study(site, model="model.json")
    assert "it does not exist" in refused("bank", "score", str(site.study))
    disk.write(site.folder(BANK) / "model.json", b"{}")
    assert "model.json is damaged" in refused("bank", "score", str(site.study))
    (site.folder(BANK) / "model.json").unlink()


def test_a_report_before_any_study(site, refused):
    assert "it does not exist" in refused("bank", "report", str(site.study))


@pytest.mark.parametrize("role", ["telco", "coordinator"])
def test_a_node_without_its_configuration(refused, role, tmp_path):
    assert "it does not exist" in refused(role, "serve", "--config", str(tmp_path / "none.toml"))


def test_a_telco_file_that_is_missing_or_has_no_such_column(site, refused):
    config = str(site.folder(TELCO) / "node.toml")
    (site.folder(TELCO) / "telco.csv").rename(site.folder(TELCO) / "away.csv")
    assert "telco.csv" in refused("telco", "serve", "--config", config)
    (site.folder(TELCO) / "away.csv").rename(site.folder(TELCO) / "telco.csv")
    rewrite(site, lambda lines: [["msisdn", *lines[0][1:]], *lines[1:]], TELCO)
    assert "phone" in refused("telco", "serve", "--config", config)


def study_against_nodes(site):
    async def run():
        async with serving(site) as nodes, nodes.bank() as conductor:
            try:
                await run_study(site, conductor)
            finally:
                rosters = [line for line in nodes.told[TELCO] if "roster of" in line]
        return rosters

    return asyncio.run(run())


@pytest.mark.parametrize(("shared", "text"), [(0, "0 of 360 identifiers match; the contract needs 100"), (99, "99 of 360 identif")])
def test_too_few_matches_end_the_study_before_the_telco_hears_which(site, shared, text):
    column(site, "phone", lambda number, old: old if number < shared else f"q{number:04}")
    with pytest.raises(InputError, match=text):
        study_against_nodes(site)


def test_a_contract_that_the_telco_does_not_have_is_refused_in_one_word(site):
    (site.folder(TELCO) / "contracts" / "study.toml").unlink()
    with pytest.raises(PeerLost, match="the telco refused or failed; it does not say why to others: look into its log"):
        study_against_nodes(site)


def test_the_tables_are_what_these_tests_count_on():
    bank, telco = tables()
    assert (bank.count("\n"), telco.count("\n")) == (361, 401)
