"""Noise over TLS, drawn by OpenDP: a study ends, goes on with the same noise after a crash, and never begins where OpenDP is missing."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

import pytest
from three_parties import Cut, dies_at, make_site, run_study, serving

from tandem.contract import COORDINATOR, TELCO
from tandem.errors import CheckFailed, PeerLost
from telco_party import casting

NOISY = {"epsilon": "60", "passes": 1, "bank_columns": 1}


async def play(site, seed, point=None, *, afresh=True):
    async with serving(site, seed=seed) as nodes, nodes.bank(seed=seed, afresh=afresh) as conductor:
        if point:
            dies_at(conductor, *point, sent=False)
            with pytest.raises(Cut):
                await run_study(site, conductor)
            return None
        return await run_study(site, conductor)


@pytest.fixture
def site(tmp_path):
    return make_site(tmp_path, layout=NOISY)


def test_a_study_cut_off_goes_on_with_the_noise_that_its_job_has(site, monkeypatch):
    """The telco's node starts anew each time. The coordinator would refuse other totals in one job."""
    drawn = []
    kept = casting.draw
    monkeypatch.setattr(casting, "draw", lambda *given: drawn.append(kept(*given)) or drawn[-1])
    asyncio.run(play(site, b"cut", ("train", 1, "Statistics")))
    trained = asyncio.run(play(site, b"again", afresh=False))
    assert len(drawn) == 1
    assert trained.model.own == 3
    assert len(trained.model.theta) == 3 + len(trained.model.aliases)
    assert sum(trained.model.described[0].counts) == (~trained.hold_out).sum()


def test_noise_drawn_anew_for_a_step_played_again_is_refused(site, monkeypatch):
    """What the test above rests on: the telco forgets its noise, and the coordinator answers nothing."""
    asyncio.run(play(site, b"cut", ("train", 1, "Statistics")))
    kept = casting.Telco._blurred

    def forgetful(self, contract, standing, coded):
        return kept(self, contract, replace(standing, noise=None), coded)

    monkeypatch.setattr(casting.Telco, "_blurred", forgetful)

    async def refused():
        async with serving(site) as nodes, nodes.bank(afresh=False) as conductor:
            with pytest.raises(CheckFailed, match="step train-1 was played before with other content"):
                await run_study(site, conductor)
            return nodes.told

    told = asyncio.run(refused())
    assert any("played before with other content" in line for line in told[COORDINATOR])
    assert not any("other content" in line or "CHECK" in line for line in told[TELCO])


def test_where_opendp_is_missing_nobody_is_aligned_and_the_operator_is_told_what_to_install(site, monkeypatch):
    monkeypatch.setitem(sys.modules, "opendp", None)

    async def refused():
        async with serving(site) as nodes, nodes.bank() as conductor:
            with pytest.raises(PeerLost, match="the telco refused or failed"):
                await run_study(site, conductor)
            return nodes.told[TELCO], [seen.kind for _, seen in nodes.frames]

    told, kinds = asyncio.run(refused())
    assert any("pip install 'tandem-fusion[dp]'" in line for line in told)
    assert "Tags" not in kinds
