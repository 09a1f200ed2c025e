"""Files of ours that are read back: every byte that changes, and every cut, is noticed."""

from __future__ import annotations

import json

import numpy as np
import pytest
from contracts import signed
from hypothesis import given
from hypothesis import strategies as st
from loopback_study import small_key

from bank_party import models
from bank_party.models import Model
from tandem.arguments import Seeded
from tandem.crypto.paillier import PublicKey
from tandem.errors import ContractError, InputError
from tandem.node import disk, kept
from tandem.tables import Binning
from telco_party import cards
from telco_party.bins import Cuts
from telco_party.cards import Card

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=6), inside, max_size=4), max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=6).filter(lambda name: name != kept.DIGEST), VALUES, max_size=6))
def test_what_was_written_is_read(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("kept") / "one.json"
    kept.write(path, content)
    assert kept.read(path) == content
    assert path.stat().st_mode & 0o777 == 0o600


def telco_card(folder):
    """Return the path of a card, and how it is loaded."""
    key = small_key(2048)
    cuts = Cuts(("calls",), (Binning("t01", "ordered", (0.5, 2.25)),))
    card = Card("11" * 32, "22" * 32, 4, PublicKey(int(key.public.n)), cuts, key.seal([1, 2, 3], Seeded(b"kept")).encode())
    contract = signed().amended({"kind": "scoring", "card": card.name, "training": card.contract})
    return card.save(folder), lambda: cards.load(folder, contract)


def bank_model(folder):
    made = Model("11" * 32, "22" * 32, 4, (), (), (), (0.25,), (0.1,), (), (0.5,), 1.0, exact=True)
    folder.mkdir()
    made.save(folder / "model.json")
    return folder / "model.json", lambda: models.load(folder / "model.json")


@pytest.mark.parametrize("make", [telco_card, bank_model])
def test_every_flipped_bit_and_every_cut_is_noticed(tmp_path, make):
    path, load = make(tmp_path / "models")
    load()
    whole, rng = path.read_bytes(), np.random.default_rng(1)
    for at in np.unique(np.concatenate((rng.integers(0, len(whole), 300), range(min(200, len(whole)))))):
        bent = bytearray(whole)
        bent[at] ^= 1 << int(rng.integers(0, 8))
        disk.write(path, bytes(bent))
        if json_of(bytes(bent)) == json_of(whole):  # a blank between two fields
            continue
        with pytest.raises((InputError, ContractError)):
            load()
    for size in rng.integers(0, len(whole), 40):
        disk.write(path, whole[:size])
        with pytest.raises(InputError, match="is damaged"):
            load()


def json_of(data):
    try:
        return json.loads(data)
    except ValueError:
        return None


def test_control_without_the_digest_a_flipped_digit_is_another_model(tmp_path, monkeypatch):
    path, load = telco_card(tmp_path / "models")
    whole = path.read_bytes()
    assert whole.count(b"2.25") == 1
    disk.write(path, whole.replace(b"2.25", b"2.35"))
    monkeypatch.setattr(kept, "_digest", lambda content: json.loads(path.read_text())[kept.DIGEST])
    assert load().cuts.binnings[0].edges == (0.5, 2.35)


def test_the_files_of_an_older_version_are_refused_and_say_so(tmp_path):
    path, load = bank_model(tmp_path / "models")
    content = kept.read(path)
    disk.write(path, json.dumps({**content, "version": 1}).encode())
    with pytest.raises(InputError, match="of an older version: restore it"):
        load()
    kept.write(path, {**content, "version": 1})
    with pytest.raises(InputError, match="is no bank model of version 2"):
        load()
