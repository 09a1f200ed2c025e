from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.cells import cell_len
from typer.testing import CliRunner

from tandem.arguments import Seeded
from tandem.contract import loads
from tandem.contract_commands import app
from tandem.errors import ContractError, InputError
from tandem.node import disk
from tandem.node.certificates import make_parties
from tandem.node.keys import alignment_key, load


def run(*arguments, answer=""):
    result = CliRunner().invoke(app, [str(each) for each in arguments], input=answer)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


class Study:
    def __init__(self, place):
        self.place, self.file = place, place / "contract.toml"
        make_parties(place, chance=Seeded(b"study"))

    def new(self, *options):
        cards = [text for role in ("bank", "telco", "coordinator") for text in (f"--{role}", self.place / role / f"{role}.toml")]
        needed = ("--description", "Dormant cards", "--identifiers", 20000, "--table", 30000, "--bank-columns", 12)
        return run("new", self.file, *cards, *needed, *options)

    def sign(self, role, *options, answer="y\n"):
        return run("sign", self.file, "--keys", self.place / role / "keys", *options, answer=answer)

    def read(self):
        return loads(self.file.read_text())


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


def test_from_draft_to_live(study):
    study.new()
    with pytest.raises(ContractError, match="it is a draft"):
        run("verify", study.file)
    assert "Still to sign: bank, coordinator" in study.sign("telco", "--variables", 26).output
    contract = study.read()
    assert contract.telco.variables == 26
    assert contract.telco.oprf_key == alignment_key(load(study.place / "telco" / "keys").seed, contract).public.hex()
    study.sign("bank")
    with pytest.raises(ContractError, match="the coordinator has not signed"):
        run("verify", study.file)
    assert "All three have signed" in study.sign("coordinator", "--yes", answer="").output
    verified = run("verify", study.file)
    assert verified.exit_code == 0
    assert study.read().digest.hex() in verified.output


def test_two_parties_where_the_bank_solves_and_the_draft_says_what_that_costs(study):
    needed = ("--description", "Dormant cards", "--identifiers", 20000, "--table", 30000, "--bank-columns", 12, "--solver", "bank")
    cards = [text for role in ("bank", "telco") for text in (f"--{role}", study.place / role / f"{role}.toml")]
    told = run("new", study.file, *cards, *needed).output
    assert "nobody checks its rows" in told
    assert "Still to sign: bank" in study.sign("telco", "--variables", 26).output
    shown = study.sign("bank").output
    assert "Both have signed" in shown
    assert "nobody checks its rows" in " ".join(shown.split())
    run("verify", study.file)
    with pytest.raises(InputError, match="--coordinator is needed unless"):
        study.new("--force", "--solver", "bank")
    with pytest.raises(InputError, match="--coordinator is needed unless"):
        run("new", study.file, *cards, *needed[:-2], "--force")


def test_the_usual_draft_has_nothing_to_note(study):
    assert "Note" not in study.new().output


@pytest.mark.parametrize("role", ["bank", "coordinator"])
def test_nobody_signs_before_the_telco_completed(study, role):
    study.new()
    before = study.file.read_bytes()
    with pytest.raises(ContractError, match="not filled in"):
        study.sign(role)
    assert study.file.read_bytes() == before


def test_what_will_be_signed_is_shown_and_asked_first(study):
    study.new()
    before = study.file.read_bytes()
    with pytest.raises(ContractError, match="nothing was written"):
        study.sign("telco", "--variables", 26, answer="n\n")
    assert study.file.read_bytes() == before
    shown = study.sign("telco", "--variables", 26).output
    assert shown.index("What this does not prevent") < shown.index("Sign as telco?")


def test_a_field_changed_after_signing_is_noticed(study):
    study.new()
    for role, options in (("telco", ("--variables", 26)), ("bank", ()), ("coordinator", ())):
        study.sign(role, *options)
    study.file.write_text(study.file.read_text().replace("roster = 20000", "roster = 19999"))
    with pytest.raises(ContractError, match=r"signature of the bank does not fit.*telco does not fit.*coordinator does not fit"):
        run("verify", study.file)


def test_the_telco_refuses_a_key_that_is_not_its_own(study):
    study.new()
    study.sign("telco", "--variables", 26)
    study.file.write_text(study.file.read_text().replace(study.read().telco.oprf_key, "ab" * 32))
    with pytest.raises(ContractError, match="not the key that your seed gives"):
        study.sign("telco")


def test_the_telco_must_say_how_many_variables_and_the_others_must_not(study):
    study.new()
    with pytest.raises(InputError, match="--variables is needed"):
        study.sign("telco")
    study.sign("telco", "--variables", 26)
    with pytest.raises(InputError, match="--variables is for the telco"):
        study.sign("bank", "--variables", 26)


def test_a_strangers_key_or_another_certificate_is_refused(study, tmp_path):
    study.new()
    study.sign("telco", "--variables", 26)
    make_parties(tmp_path / "strangers")
    with pytest.raises(ContractError, match="signing key belongs to no party"):
        run("sign", study.file, "--keys", tmp_path / "strangers" / "bank" / "keys", "--yes")
    pem = study.place / "bank" / "keys" / "tls.pem"
    pem.write_bytes((tmp_path / "strangers" / "bank" / "keys" / "tls.pem").read_bytes())
    with pytest.raises(ContractError, match=r"bank\.tls_pin does not name the certificate"):
        study.sign("bank")


def test_an_expired_draft_is_not_signed(study):
    study.new("--start", "2020-01-01T00:00:00Z", "--days", 3)
    with pytest.raises(ContractError, match="expiry was 2020-01-04"):
        study.sign("telco", "--variables", 26)


def test_a_card_in_the_wrong_place_is_refused(study):
    bank = study.place / "bank" / "bank.toml"
    (study.place / "telco" / "telco.toml").write_bytes(bank.read_bytes())
    with pytest.raises(ContractError, match="role is bank, but it was given as --telco"):
        study.new()
    bank.write_text("name = 'x'")
    with pytest.raises(ContractError, match=r"bank\.toml: tls_pin is missing"):
        study.new()


def test_new_replaces_no_file_unless_told_and_checks_every_field(study):
    study.new()
    before = study.read()
    with pytest.raises(InputError, match="exists already"):
        study.new()
    study.new("--force", "--passes", 4, "--trainings", 2)
    after = study.read()
    assert after.id != before.id, "every draft draws a number of its own"
    assert (after.layout.passes, after.caps.disclosure_bits, after.jobs) == (4, 74, 2)
    with pytest.raises(ContractError, match=r"draft: layout\.passes must be at most 4"):
        study.new("--force", "--passes", 5)
    with pytest.raises(ContractError, match="licence must be given"):
        study.new("--force", "--purpose", "credit")
    with pytest.raises(InputError, match="no moment in UTC"):
        study.new("--force", "--start", "tomorrow")
    assert study.read() == after


@pytest.mark.parametrize("language", ["en", "zh"])
def test_show_fits_eighty_columns_and_obeys_no_markup(study, language):
    study.new("--key-bits", 2048)
    study.file.write_text(study.file.read_text().replace('"Dormant cards"', '"[red]Dormant[/red] cards"'))
    shown = run("show", study.file, "--lang", language).output
    assert max(cell_len(line) for line in shown.splitlines()) <= 80
    assert "[red]Dormant[/red] cards" in shown
    assert ("警告" if language == "zh" else "WARNING") in shown


def test_a_draft_written_by_another_seed_has_another_oblivious_key(study, tmp_path):
    study.new()
    contract = study.read()
    other = Ed25519PrivateKey.generate().private_bytes_raw()
    assert alignment_key(other, contract) != alignment_key(load(study.place / "telco" / "keys").seed, contract)


def test_a_full_disk_keeps_the_signed_file_as_it_was(study, monkeypatch):
    study.new()
    before = study.file.read_bytes()

    def full(*_, **__):
        raise InputError("the disk is full")

    monkeypatch.setattr(disk, "write", full)
    with pytest.raises(InputError, match="disk is full"):
        study.sign("telco", "--variables", 26)
    assert study.file.read_bytes() == before


def test_a_draft_with_cover_makes_room_in_the_roster_for_it(study):
    study.new("--cover", 4)
    assert (study.read().layout.cover, study.read().caps.roster) == (4, 30000)  # the table is smaller than 4 times 20 000
    study.new("--cover", 4, "--table", 100_000, "--force")
    assert study.read().caps.roster == 80_000
    assert "groups of 4 of its people" in " ".join(run("show", study.file).output.split())


def test_a_measurement_is_drafted_signed_without_a_number_and_shown(study):
    segments = ("--segment", "benefit=eat,play,online shopping", "--segment", "finance_activity=low,middle,high")
    drafted = study.new("--kind", "measurement", "--groups", 3, *segments, "--spend-band", 100)
    assert "--variables" not in drafted.output
    study.sign("telco")
    contract = study.read()
    assert contract.telco.variables == 2
    assert contract.measurement.spend_bands == (100,)
    assert "not who was contacted" in " ".join(run("show", study.file).output.split())
    with pytest.raises(InputError, match="go with --kind measurement"):
        study.new("--force", "--groups", 3)


def test_told_columns_are_drafted_and_shown_with_their_bits(study):
    card = ("--kind", "scoring", "--card", "ab" * 32, "--training", "cd" * 32)
    drafted = study.new(*card, "--tell", "benefit=eat, play,online shopping,shopping", "--tell", "finance activity=low,middle,high")
    assert "5 bits a person" in " ".join(drafted.output.split())
    contract = study.read()
    assert [(one.name, one.levels) for one in contract.tells] == [
        ("benefit", ("eat", "play", "online shopping", "shopping")), ("finance activity", ("low", "middle", "high")),
    ]
    assert contract.caps.disclosure_bits == 9 + 5
    assert "eat, play, online shopping, shopping, or none of them" in " ".join(run("show", study.file).output.split())
    with pytest.raises(InputError, match=r"--tell 'benefit' is no NAME=LEVEL"):
        study.new(*card, "--force", "--tell", "benefit")
    with pytest.raises(ContractError, match="tells must be left out"):
        study.new("--force", "--tell", "benefit=eat,play")
