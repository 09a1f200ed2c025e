"""`tandem doctor` as a whole: against real nodes, and with each thing that can be wrong at home."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import tomli_w
from small_servers import listening_socket, proxy
from three_parties import make_site, serving

from bank_party.main import traffic
from tandem import cli
from tandem.arguments import Seeded
from tandem.contract import BANK, COORDINATOR, TELCO
from tandem.doctor import command, home, peers, table
from tandem.doctor.command import examine, serves
from tandem.doctor.findings import Finding, failed
from tandem.errors import InputError
from tandem.node.certificates import issue, make_authority, make_party
from tandem.node.inputs.source import TableSource
from tandem.node.ledger_store import Ledger
from tandem.node.side import Holding, side
from tandem.probe.roles import Sounding
from tandem.tables import Table
from tandem.wire.messages import Hello

NOW = datetime.now(UTC)
CLOSED = "127.0.0.1:1"


@contextmanager
def running(site):
    """Serve both nodes in a thread with a loop of its own, and write their ports into the configurations."""
    ready, done, found = threading.Event(), threading.Event(), {}

    async def whole():
        async with serving(site) as nodes:
            found["nodes"] = nodes
            ready.set()
            while not done.is_set():  # noqa: ASYNC110 - the test is in another thread
                await asyncio.sleep(0.02)

    thread = threading.Thread(target=asyncio.run, args=(whole(),), daemon=True)
    thread.start()
    assert ready.wait(20)
    addresses(site, found["nodes"].ports)
    try:
        yield found["nodes"]
    finally:
        done.set()
        thread.join(20)
        assert not thread.is_alive()


def addresses(site, ports):
    for name, role in (("study.toml", BANK), ("node.toml", TELCO), ("node.toml", COORDINATOR)):
        path = site.folder(role) / name
        text = path.read_text()
        places = {peer: f"127.0.0.1:{port}" for peer, port in ports.items()} | {"listen": f"0.0.0.0:{ports.get(role)}"}
        for field, place in places.items():
            text = re.sub(rf"^({field} = ).*$", rf'\1"{place}"', text, flags=re.MULTILINE)
        path.write_text(text)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    site = make_site(tmp_path_factory.mktemp("live") / "s")
    with running(site) as nodes:
        yield nodes


@pytest.fixture
def site(tmp_path):
    return make_site(tmp_path / "s")


def look(site, role=BANK):
    name = "study.toml" if role == BANK else "node.toml"
    return list(examine(side(site.folder(role) / name), lambda _: None))


def about(findings, subject, level=None):
    return [each for each in findings if each.subject.startswith(subject) and level in {None, each.level}]


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main([str(each) for each in arguments])
    return ended.value.code or 0


# -- all is well --


def test_all_is_well_at_the_bank(live, capsys):
    assert run("doctor", live.site.study) == 0
    out = " ".join(capsys.readouterr().out.split())
    for subject in ("keys", "our certificate", "contract 00112233", "table", "identifiers"):
        assert f"ok {subject}" in out
    for peer in (TELCO, COORDINATOR):
        for subject in ("certificate", "name", "port", "TLS", "contract", "version", "clock", "way"):
            assert f"ok {peer}: {subject}" in out
    assert "0 wrong" in out
    assert not re.search(r"p\d{4}", out)  # no identifier


def test_all_is_well_at_the_telco_and_its_own_port_is_asked(live):
    found = look(live.site, TELCO)
    assert [each for each in found if each.level != "ok"] == []
    assert "serves at 0.0.0.0" in about(found, "this node")[0].text
    assert len(about(found, "coordinator: ")) == 8
    assert not about(found, "bank")


def test_without_a_coordinator_nobody_looks_for_one(tmp_path):
    site = make_site(tmp_path, layout={"solver": "bank"}, coordinator=None)
    (site.folder(BANK) / "peers" / "coordinator.pem").unlink()
    (site.folder(TELCO) / "peers" / "coordinator.pem").unlink()
    with running(site):
        for role, subjects in ((BANK, 8), (TELCO, 0)):
            found = look(site, role)
            assert [each for each in found if each.level != "ok"] == []
            assert not about(found, "coordinator")
            assert len(about(found, "telco: ")) == subjects
            assert "signed by both parties" in about(found, "contract 00112233")[0].text
    assert "has no coordinator: its bank solves" in about(look(site, COORDINATOR), "contract 00112233")[0].text


def test_what_was_sent_stands_in_the_ledger(live):
    look(live.site)
    with Ledger(live.site.folder(BANK) / "ledger.sqlite", read_only=True) as ledger:
        assert ledger.verify() is None
        scripts = {entry.script for entry in ledger.entries()}
        assert scripts >= {"probe-holder-from-seeker", "probe-solver-from-sealer"}
        assert not ledger.usage()
        assert traffic(ledger, BANK, live.site.contract) == []  # what a report tells of a study's bytes


def test_a_health_check_asks_the_own_node_alone(live, site, capsys):
    assert run("doctor", "--serving", live.site.folder(COORDINATOR) / "node.toml") == 0
    assert "serves at" in " ".join(capsys.readouterr().out.split())
    addresses(site, {TELCO: 1, COORDINATOR: 1})
    assert run("doctor", "--serving", site.folder(COORDINATOR) / "node.toml") == 2
    assert "nobody with our key listens" in " ".join(capsys.readouterr().out.split())


def test_a_health_check_goes_through_no_proxy(live, monkeypatch):
    with proxy(b"HTTP/1.1 403 Forbidden\r\n\r\n") as (place, asked):
        monkeypatch.setenv("http_proxy", f"http://{place}")
        found = list(serves(side(live.site.folder(TELCO) / "node.toml")))
    assert [each.level for each in found] == ["ok", "ok"]
    assert asked == []


def test_through_a_proxy_that_lets_us_through(live, monkeypatch):
    with proxy(b"HTTP/1.1 200 ok\r\n\r\n") as (place, asked):
        monkeypatch.setenv("http_proxy", f"http://{place}")
        found = look(live.site)
        assert [each.subject for each in found if each.level != "ok"] == ["telco: proxy", "coordinator: proxy"]
        ports = [f"CONNECT 127.0.0.1:{live.ports[role]} " for role in (TELCO, COORDINATOR)]
        # once by the doctor's own hand, once by gRPC: it does take the proxy that we said it would
        assert all(sum(one.startswith(port) for one in asked) >= 2 for port in ports)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        before = len(asked)
        assert [each for each in look(live.site) if each.level != "ok"] == []
        assert len(asked) == before


# -- what a peer does --


def test_a_contract_that_the_telco_does_not_have(tmp_path):
    site = make_site(tmp_path / "s")
    with running(site):
        (site.folder(TELCO) / "contracts" / "study.toml").unlink()
        found = look(site)
    (fault,) = [each for each in found if each.level == "wrong"]
    assert fault.subject == "telco: contract"
    assert site.contract.digest.hex()[:16] in fault.text
    assert "folder of contracts" in fault.remedy
    assert about(found, "coordinator: contract", "ok")


def test_our_clock_is_wrong_and_the_peer_says_so(live, monkeypatch):
    """By our clock the contract is over; a peer that honours it tells us the time."""

    class Ahead(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=30)

    monkeypatch.setattr(command, "datetime", Ahead)
    monkeypatch.setattr("tandem.node.probing.time.time", lambda: time.clock_gettime(time.CLOCK_REALTIME) + 30 * 86_400)
    found = look(live.site)
    assert about(found, "contract 00112233", "wrong")
    for peer in (TELCO, COORDINATOR):
        (clock,) = about(found, f"{peer}: clock", "wrong")
        assert "behind ours" in clock.text
        assert "NTP" in clock.remedy


def sounding(ahead=0.0, oldest=1, newest=1, within=0.01):
    return Sounding(Hello("9.9\x1b[31m", oldest, newest, 0), ahead, within, 0.02, 1e6, 1e6)


CLOCKS = [(1.0, "ok"), (-4.0, "ok"), (6.0, "warning"), (-59.0, "warning"), (61.0, "wrong"), (-9e9, "wrong")]


@pytest.mark.parametrize(("ahead", "level"), CLOCKS)
def test_clocks_apart(ahead, level):
    (clock,) = [each for each in peers.judged(TELCO, sounding(ahead)) if each.subject == "telco: clock"]
    assert clock.level == level
    assert ("ahead of" if ahead > 0 else "behind") in clock.text


@pytest.mark.parametrize(("oldest", "newest", "remedy"), [(1, 3, ""), (2, 3, "update this machine"), (0, 0, "update the telco")])
def test_versions_apart(oldest, newest, remedy):
    version = peers.judged(TELCO, sounding(oldest=oldest, newest=newest))[0]
    assert (version.level, version.remedy) == ("wrong" if remedy else "ok", remedy)
    assert "\x1b" not in version.text


def test_a_line_too_slow_for_a_probe_ends_in_time(live, monkeypatch):
    async def stuck(*_):
        await asyncio.sleep(60)

    monkeypatch.setattr(peers, "probe", stuck)
    monkeypatch.setattr(peers, "PROBING", 0.1)
    began = time.monotonic()
    found = peers.sound(*_sound_arguments(live), 0.1)
    assert time.monotonic() - began < 5
    assert "did not end" in found[TELCO][0].text


def _sound_arguments(live):
    own = live.site.parties[BANK].keys
    pinned = live.site.parties[TELCO].keys.tls_certificate
    return side(live.site.study), own, live.site.contract, [peers.Peer(TELCO, f"127.0.0.1:{live.ports[TELCO]}", pinned)]


def test_nobody_there(site, capsys):
    addresses(site, {TELCO: 1, COORDINATOR: 1})
    assert run("doctor", site.study) == 2
    out = " ".join(capsys.readouterr().out.split())
    assert out.count("refuses: the machine is there, nobody listens") == 2
    assert "-> start the node there" in out


# -- at home --


def wrong_of(found):
    """Return what is wrong beside the ports, where nobody listens in these tests."""
    return [each for each in found if each.level == "wrong" and not each.subject.endswith(": port")]


def test_keys_that_others_can_read(site):
    (site.folder(BANK) / "keys" / "tls.key").chmod(0o644)
    (fault,) = wrong_of(look(site))
    assert (fault.subject, "chmod 600" in fault.remedy) == ("keys", True)
    (site.folder(BANK) / "keys" / "tls.key").chmod(0o600)
    (site.folder(BANK) / "keys").chmod(0o755)
    (fault,) = wrong_of(look(site))
    assert "chmod 700" in fault.remedy


def test_a_key_and_a_certificate_of_two_parties(site):
    other = make_party(make_authority(), BANK, "bank", chance=Seeded(b"x")).keys
    (site.folder(BANK) / "keys" / "tls.key").write_bytes(other.tls_key)
    (fault,) = wrong_of(look(site))
    assert "do not belong together" in fault.text


def test_keys_that_the_contract_does_not_name(site):
    stranger = make_party(make_authority(), BANK, "bank", chance=Seeded(b"x")).keys
    folder = site.folder(BANK) / "keys"
    (folder / "tls.key").write_bytes(stranger.tls_key)
    (folder / "tls.pem").write_bytes(stranger.tls_certificate)
    assert "pins another TLS key for the bank than ours" in wrong_of(look(site))[0].text


def test_the_telcos_seed_is_not_that_of_the_contract(site):
    (site.folder(TELCO) / "keys" / "seed").write_bytes(bytes(32))
    assert "does not come from our seed" in wrong_of(look(site, TELCO))[0].text


@pytest.mark.parametrize(("changes", "word", "remedy"), [
    ({"start": "2020-01-01T00:00:00Z", "expiry": "2020-02-01T00:00:00Z"}, "expiry was 2020-02-01", "draft a new contract"),
    ({"start": "2120-01-01T00:00:00Z", "expiry": "2120-02-01T00:00:00Z"}, "has not come", "clock"),
])
def test_a_contract_that_is_not_live(site, changes, word, remedy):
    site.amend(changes)
    (fault,) = wrong_of(look(site))
    assert word in fault.text
    assert remedy in fault.remedy


def test_a_contract_that_somebody_did_not_sign(site):
    path = site.folder(BANK) / "contract.toml"
    path.write_text(re.sub(r'^coordinator = "[0-9a-f]{128}"$', "", path.read_text(), flags=re.MULTILINE))
    (fault,) = wrong_of(look(site))
    assert "the coordinator has not signed" in fault.text
    assert "tandem contract sign" in fault.remedy


def test_a_contract_that_is_not_there_or_no_contract(site):
    path = site.folder(BANK) / "contract.toml"
    path.write_text("format = 7")
    assert wrong_of(look(site))[0].subject == "contract contract.toml"
    path.unlink()
    assert "does not exist" in wrong_of(look(site))[0].text
    (site.folder(TELCO) / "contracts" / "study.toml").unlink()
    assert "put the file there" in wrong_of(look(site, TELCO))[0].remedy


def test_an_old_contract_beside_a_live_one_is_no_fault(site):
    live = site.contract
    site.approve(site.sign(live.amended({"start": "2020-01-01T00:00:00Z", "expiry": "2020-02-01T00:00:00Z"})), "old.toml")
    found = look(site, TELCO)
    assert wrong_of(found) == []
    assert [each.level for each in about(found, "contract ")] == ["warning", "ok"]


def test_a_peers_certificate_that_is_missing_or_another(site):
    path = site.folder(BANK) / "peers" / "telco.pem"
    path.unlink()
    (fault,) = wrong_of(look(site))
    assert (fault.subject, "tandem admit" in fault.remedy) == ("telco: certificate", True)
    path.write_bytes(issue(make_authority(), TELCO)[1])
    (fault,) = wrong_of(look(site))
    assert "pins another key than that of peers/telco.pem" in fault.text
    path.write_text("no PEM")
    assert "is no certificate" in wrong_of(look(site))[0].text


@pytest.mark.parametrize(("days", "level"), [(365, "ok"), (20, "warning"), (1, "wrong")])
def test_a_certificate_that_ends(days, level):
    _, pem = issue(make_authority(), BANK, days=days, now=NOW - timedelta(days=2))
    assert home.certificate("x", pem, NOW, "renew").level == level
    assert home.certificate("x", pem, NOW - timedelta(days=9), "renew").level == "wrong"


def test_a_file_that_is_no_configuration(tmp_path, capsys):
    path = tmp_path / "node.toml"
    path.write_text("listen = ")
    assert run("doctor", path) == 2
    path.write_text(tomli_w.dumps({"listen": "nowhere"}))
    assert run("doctor", path) == 2
    assert "host:port" in capsys.readouterr().err


# -- the table --


def holding(ids, **options):
    def fit(*_):
        return None

    return Holding(TableSource(source="x.csv", id="phone", **options), lambda: Table(list(ids), {}), fit)


def identifiers(ids, form, **options):
    class Agreed:
        identifier, id = form, "00112233"

    (found,) = [each for each in table.look(holding(ids, **options), Agreed) if each.subject == "identifiers"]
    return found


PHONES = [f"1380013{i:04}" for i in range(100)]


def test_identifiers_are_told_by_counts_and_never_by_value():
    mixed = [*PHONES, "", "not a phone", PHONES[0], PHONES[1]]
    found = identifiers(mixed, "phone")
    assert found.level == "wrong"
    assert found.text == "100 of 104 look like phone, 1 malformed, 1 empty, 2 repeated; the contract says phone"
    assert "drop_bad" in found.remedy
    assert 'keep = "first"' in found.remedy
    assert not [value for value in mixed if value and value in repr(found)]
    assert identifiers(mixed, "phone", drop_bad=True, keep="last").level == "warning"
    assert identifiers(PHONES, "phone").level == "ok"


def test_identifiers_of_another_form_are_named():
    hashes = [f"{i:064x}" for i in range(100)]
    found = identifiers(PHONES, "sha256")
    assert found.level == "wrong"
    assert "most look like phone" in found.remedy
    assert "most look like sha256" in identifiers(hashes, "phone").remedy
    assert "most look like" not in identifiers(["a"] * 9, "phone").remedy
    assert identifiers(PHONES, "text").level == "warning"  # +86 138... and 138... would not match
    assert identifiers(["a", "b"], "text").level == "ok"


def test_a_table_that_cannot_be_read_or_does_not_fit(site):
    (site.folder(BANK) / "bank.csv").write_text("phone,age,label\np1,2\n")
    found = about(look(site), "table", "wrong")
    assert len(found) == 1
    (site.folder(BANK) / "bank.csv").unlink()
    assert "no such file" in about(look(site), "table", "wrong")[0].remedy


def test_a_table_whose_columns_are_not_those_of_the_contract(site):
    site.amend({"layout": {"bank_columns": 3}})
    assert "layout.bank_columns is 3" in about(look(site), "table", "wrong")[0].text
    site.amend({"telco": {"variables": 9}})
    assert "telco.variables is 9" in about(look(site, TELCO), "table", "wrong")[0].text


# -- how it is said --


def test_whatever_is_not_well_comes_with_a_remedy():
    with pytest.raises(ValueError, match="without a remedy"):
        Finding("wrong", "x", "y")
    found = failed("x", InputError("a: b: do this"))
    assert (found.text, found.remedy) == ("a: b", "do this")
    assert failed("x", InputError("just this")).remedy == "just this"


def test_the_backlog_of_a_listener_is_not_ours(site):
    with listening_socket() as (_, place):
        addresses(site, {TELCO: place.rpartition(":")[2], COORDINATOR: 1})
        began = time.monotonic()
        found = look(site)
        assert time.monotonic() - began < 12
    assert "no answer to TLS" in about(found, "telco: TLS")[0].text
