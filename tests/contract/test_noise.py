"""The accountant against OpenDP's, what a contract with an epsilon may say, and that one without is what it was."""

from __future__ import annotations

import json
import math

import opendp.prelude as dp
import pytest
from contracts import signed, unsigned

from tandem.contract.noise import SHARES, SLOTS, TAIL, Noise, approximate, concentrated, noise
from tandem.contract.words import costs, pages
from tandem.errors import ContractError

NOISY = {"epsilon": "4", "passes": 1, "bank_columns": 1}


@pytest.mark.parametrize("delta", [1e-3, 1e-6, 1e-12])
@pytest.mark.parametrize("epsilon", [0.01, 0.5, 4.0, 100.0])
def test_epsilon_and_delta_are_those_that_opendp_gives_for_the_same_noise(epsilon, delta):
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64")
    rho = concentrated(epsilon, delta)
    measurement = dp.c.make_zCDP_to_approxDP(dp.m.make_gaussian(*space, scale=10.0))
    spent = measurement.map(10.0 * math.sqrt(2.0 * rho))
    assert spent.epsilon(delta=delta) == pytest.approx(epsilon, rel=1e-4)
    assert spent.epsilon(delta=delta) <= epsilon * (1.0 + 1e-9)


def test_more_rho_is_more_delta_and_none_is_none():
    deltas = [approximate(rho, 2.0) for rho in (0.0, 0.01, 0.05, 0.2, 1.0, 50.0)]
    assert deltas == sorted(deltas)
    assert (deltas[0], deltas[-1]) == (0.0, 1.0)


def test_all_that_a_job_tells_costs_its_rho_and_all_jobs_the_contracts():
    """The sum of D^2 / 2 sigma^2, with D as the module's table has it."""
    d, one = 26, noise(8.0, 1e-6, 1, 26)
    distances = {what: d * (d - 1) if what == "pairs" else 2 * d for what in SHARES}
    assert sum(distances[what] / (2.0 * one.spread(what) ** 2) for what in SHARES) == pytest.approx(one.rho)
    assert set(SHARES) == {*SLOTS, "counts", "pairs"}
    assert noise(8.0, 1e-6, 5, 26).rho * 5 == pytest.approx(concentrated(8.0, 1e-6))
    assert min(one.spare / one.spread(what) for what in SLOTS) >= TAIL
    assert Noise(1.0, 1).spread("pairs") == 0.0


def test_a_contract_divides_by_the_jobs_that_it_allows():
    assert unsigned().noise is None
    once, thrice = (unsigned(layout=NOISY, caps={"trainings": n, "disclosure_bits": 16 * n}).noise for n in (1, 3))
    assert once.rho == pytest.approx(3 * thrice.rho)
    assert once.variables == 12
    assert unsigned(layout=NOISY, telco={"variables": 0}).noise is None


@pytest.mark.parametrize("change", [{"se": "exact"}, {"passes": 2}, {"bank_columns": 2}])
def test_what_noise_cannot_cover_is_refused(change):
    with pytest.raises(ContractError, match="layout epsilon goes with passes = 1, bank_columns = 1 and se"):
        unsigned(layout={**NOISY, **change})


def test_a_ridge_is_not_chosen_from_totals_with_noise():
    with pytest.raises(ContractError, match='ridge = "auto" does not go with epsilon'):
        unsigned(layout={**NOISY, "ridge": "auto"})


@pytest.mark.parametrize("value", ["0", "101", "nan", "-1", "0.005", "1e9", "four", "1/4", True, None])
def test_an_epsilon_that_is_none_is_refused(value):
    with pytest.raises(ContractError, match="epsilon"):
        unsigned(layout={**NOISY, "epsilon": value})


def test_one_number_has_one_text():
    assert {unsigned(layout={**NOISY, "epsilon": value}).digest for value in ("0.5", "0.50", 0.5)} == {
        unsigned(layout={**NOISY, "epsilon": "0.5"}).digest
    }
    assert unsigned(layout={**NOISY, "epsilon": 10}).layout.epsilon == "10"


def test_without_noise_the_canonical_bytes_know_nothing_of_it():
    assert {"epsilon", "delta"}.isdisjoint(json.loads(unsigned().canonical)["layout"])
    noisy = signed(layout=NOISY)
    assert json.loads(noisy.canonical)["layout"]["epsilon"] == "4"
    assert noisy.amended({"layout": {"epsilon": "5"}}).signature_fault("bank")


@pytest.mark.parametrize(("language", "size", "limit"), [
    ("en", "a count of a bin is off by about 20 rows", "It does not cover the scores that the bank reads"),
    ("zh", "每箱计数偏差约 20 行", "噪声不覆盖：银行读到的分数"),
])
def test_the_words_say_how_large_the_noise_is_and_what_it_does_not_cover(language, size, limit):
    contract = unsigned(layout=NOISY, caps={"disclosure_bits": 16})
    text = "\n".join(line for page in pages(contract, language) for _, line in page.rows)
    assert size in text
    assert limit in text
    assert any(limit in cost for cost in costs(contract, language))
    assert limit not in "".join(costs(unsigned(), language))


def test_where_the_bank_solves_its_scores_are_said_to_outweigh_the_noise():
    contract = unsigned(layout={**NOISY, "solver": "bank"}, coordinator=None)
    assert any("more of a person than noise on totals hides" in cost for cost in costs(contract))
