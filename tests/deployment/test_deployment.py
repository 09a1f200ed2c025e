"""The files of docs/deployment: who can reach whom, with which rights. What can be run here is run; containers are only read."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "docs" / "deployment"
COMPOSE = yaml.safe_load((PLACE / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
PARTIES = ("bank", "telco", "coordinator")
UNITS = sorted(PLACE.glob("*.service"))
LISTENING = ("telco", "coordinator")


def test_only_the_bank_can_reach_its_database():
    inside = set(SERVICES["bank-database"]["networks"])
    near = {name for name in SERVICES if set(SERVICES[name]["networks"]) & inside}
    assert near == {"bank", "bank-database"}
    assert all(COMPOSE["networks"][name] == {"internal": True} for name in inside)
    assert "ports" not in SERVICES["bank-database"]


def test_every_pair_of_parties_has_a_network_of_its_own_and_no_network_has_three():
    for one, other in combinations(PARTIES, 2):
        assert len(set(SERVICES[one]["networks"]) & set(SERVICES[other]["networks"])) == 1
    for name in COMPOSE["networks"]:
        assert len([party for party in PARTIES if name in SERVICES[party]["networks"]]) <= 2
    assert {name for service in SERVICES.values() for name in service["networks"]} == set(COMPOSE["networks"])


def test_the_bank_listens_to_nobody():
    assert "ports" not in SERVICES["bank"]
    assert [SERVICES[name]["ports"] for name in LISTENING] == [["7443:7443"], ["7444:7444"]]


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_is_root_or_writes_beside_its_own_folder(name):
    service = SERVICES[name]
    uid = re.sub(r"\$\{\w+:-(\d+)\}", r"\1", service["user"]).split(":")
    assert len(uid) == 2
    assert all(int(part) > 0 for part in uid)
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert len(service["volumes"]) == 1


@pytest.mark.parametrize("name", PARTIES)
def test_a_party_sees_its_own_folder_alone_and_can_load_libsodium(name):
    service = SERVICES[name]
    assert service["volumes"] == [f"./{name}:/party"]
    (temporary,) = service["tmpfs"]
    place, _, options = temporary.partition(":")
    assert place == re.search(r"TMPDIR=(\S+)", (PLACE / "Dockerfile").read_text())[1]
    assert "exec" in options.split(",")
    assert {"nosuid", "nodev"} <= set(options.split(","))
    assert service["ulimits"] == {"core": 0}


def test_the_banks_memory_is_not_swapped():
    assert SERVICES["bank"]["mem_limit"] == SERVICES["bank"]["memswap_limit"]


def test_listeners_are_asked_for_their_health_and_the_job_is_not():
    for name in LISTENING:
        assert SERVICES[name]["healthcheck"]["test"] == ["CMD", "tandem", "doctor", "--serving", "node.toml"]
    assert "healthcheck" not in SERVICES["bank"]


def test_images_are_pinned_by_version_and_the_last_stage_is_not_root():
    text = (PLACE / "Dockerfile").read_text()
    images = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(images) == 2
    assert all(re.fullmatch(r"python:3\.1[123]\.\d+-slim-bookworm", image) for image in images)
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", text.split("FROM")[-1], re.MULTILINE)
    assert re.fullmatch(r"postgres:\d+\.\d+-alpine", SERVICES["bank-database"]["image"])
    taken = re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
    sources = {source for line in taken for source in line.split()[:-1]}
    allowed = {line[1:] for line in (PLACE / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    assert sources == allowed
    assert all((ROOT / source).exists() for source in sources)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_hardened(unit):
    lines = unit.read_text().splitlines()
    assert {
        "User=tandem", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "LimitCORE=0", "MemorySwapMax=0",
        "UMask=0077", "CapabilityBoundingSet=", "StateDirectoryMode=0700", "SystemCallFilter=@system-service",
    } <= set(lines)
    assert not any(line.startswith("ReadWritePaths") for line in lines)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_accepts_the_units(tmp_path):
    assert len(UNITS) == 3
    for unit in UNITS:
        text = unit.read_text()
        assert text.count("/usr/local/lib/tandem/bin/tandem ") >= 1
        (tmp_path / unit.name).write_text(text.replace("/usr/local/lib/tandem/bin/tandem", "/bin/true"))  # not installed here
    command = ["systemd-analyze", "verify", *(str(tmp_path / unit.name) for unit in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if "tandem" in line]
    assert complaints == []
    assert done.returncode == 0


def test_commands_in_units_and_containers_are_commands_of_ours():
    points = (ROOT / "pyproject.toml").read_text()
    said = [line.partition("bin/tandem ")[2] for unit in UNITS for line in unit.read_text().splitlines() if line.startswith("ExecStart")]
    said += [" ".join(SERVICES[name]["command"]) for name in PARTIES]
    for command in said:
        assert re.search(rf"^{command.split()[0]} = \"", points, re.MULTILINE), command


def test_nginx_ends_no_tls():
    text = re.sub(r"#.*", "", (PLACE / "nginx.conf").read_text())
    assert "ssl_preread            on;" in text
    assert re.findall(r"\b(http|grpc_pass|ssl_certificate|proxy_ssl)\b", text) == []
    seconds = int(re.search(r"proxy_timeout\s+(\d+)h", text)[1]) * 3600
    assert seconds > 900  # the default patience of a node


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed here")
def test_nginx_accepts_its_configuration(tmp_path):
    module = next(iter(Path("/usr/lib/nginx/modules").glob("ngx_stream_module.so")), None)
    load = f"load_module {module};\n" if module else ""
    (tmp_path / "nginx.conf").write_text(f"{load}pid {tmp_path}/pid;\nevents {{}}\n" + (PLACE / "nginx.conf").read_text())
    done = subprocess.run([shutil.which("nginx"), "-t", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
