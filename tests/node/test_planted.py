"""Planted secrets after a whole study over TLS: no file of a party holds what is another's, in any of the forms in which it might leak."""

from __future__ import annotations

import asyncio
import base64
import hashlib

import pytest
from three_parties import CUSTOMERS, SHARED, SUBSCRIBERS, make_site, paillier_key, run_study, serving

from tandem.contract import BANK, COORDINATOR, ROLES, TELCO

YES, NO = "label-geheim-ja", "label-geheim-nein"
PLANS = ("tarif-geheim-a", "tarif-geheim-b", "tarif-geheim-c")


def forms(secret):
    """Return a secret as it might lie in a file: as it is, in hex of either case, in base64, hashed by what people use."""
    digests = [hashlib.new(name, secret).digest() for name in ("md5", "sha1", "sha256", "sha512", "sm3")]
    written = [one.hex().encode() for one in (secret, *digests)] + [one.hex().upper().encode() for one in (secret, *digests)]
    return {secret, *digests, *written, *(base64.b64encode(one) for one in (secret, *digests))}


def numbers(first, last):
    return [f"139{at:08d}".encode() for at in range(first, last)]


CUSTOMERS_ALONE = numbers(SHARED, CUSTOMERS)
"""Customers whom the telco does not know; whom both know, the telco learns of."""
SUBSCRIBERS_ALONE = numbers(CUSTOMERS, CUSTOMERS + SUBSCRIBERS - SHARED)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Run a study on tables whose identifiers, labels and levels are words that are nowhere else."""
    made = make_site(tmp_path_factory.mktemp("planted"))
    made.keep_key()
    for role, words in ((BANK, {"1": YES, "0": NO}), (TELCO, dict(zip("abc", PLANS, strict=True)))):
        path = made.folder(role) / f"{role}.csv"
        head, *rows = path.read_text().splitlines()
        told = [row.rsplit(",", 1) for row in rows]
        path.write_text("\n".join([head, *(f"139{int(row[1:5]):08d}{row[5:]},{words[last]}" for row, last in told)]) + "\n")
    made.study.write_text(f'positive = "{YES}"\n' + made.study.read_text())

    async def run():
        async with serving(made) as nodes, nodes.bank() as conductor:
            await run_study(made, conductor)

    asyncio.run(run())
    return made


def secrets_of(role, site):
    """Return what `role` alone has, and what no other may find on its disk."""
    keys = site.parties[role].keys
    own = [keys.seed, keys.signing.private_bytes_raw()]
    if role == BANK:
        whole = paillier_key().to_bytes()
        return [*own, *CUSTOMERS_ALONE, YES.encode(), NO.encode(), *(whole[at : at + 24] for at in range(32, len(whole) - 24, 24))]
    return [*own, *SUBSCRIBERS_ALONE, *(word.encode() for word in PLANS)] if role == TELCO else own


def found(folder, secrets, but=()):
    """Return (file, secret) of every form of a secret that lies in a file of the folder."""
    every = [(secret, form) for secret in secrets for form in forms(secret)]
    hits = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in but:
            data = path.read_bytes()
            hits += [(path.name, secret) for secret, form in every if form in data]
    return hits


def test_control_the_owners_own_files_hold_them(site):
    """The search finds what is there: in the owner's inputs and keys."""
    bank = {secret for _, secret in found(site.folder(BANK), secrets_of(BANK, site))}
    telco = {secret for _, secret in found(site.folder(TELCO), secrets_of(TELCO, site))}
    assert {*CUSTOMERS_ALONE, YES.encode(), site.parties[BANK].keys.seed} <= bank
    assert {*SUBSCRIBERS_ALONE, *(word.encode() for word in PLANS)} <= telco


@pytest.mark.parametrize("reader", ROLES)
def test_no_party_finds_anothers_secrets_on_its_disk(site, reader):
    for owner in ROLES:
        if owner != reader:
            assert found(site.folder(reader), secrets_of(owner, site)) == [], f"{owner}'s, at the {reader}"


def test_the_coordinator_has_nobody_at_all(site):
    assert found(site.folder(COORDINATOR), numbers(0, SHARED)) == []


def test_state_and_ledger_hold_nobody_in_the_clear(site):
    """Not even the owner's own identifiers or labels lie in its ledger and state: a backup of these names nobody."""
    for role in (BANK, TELCO):
        people = numbers(0, CUSTOMERS + SUBSCRIBERS - SHARED)
        inputs = {f"{role}.csv"}
        assert found(site.folder(role) / "state", people, inputs) == []
        for path in site.folder(role).glob("ledger.sqlite*"):
            data = path.read_bytes()
            assert [person for person in people if any(form in data for form in forms(person))] == []
