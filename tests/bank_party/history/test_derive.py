"""The bank's variables against their definitions written in pandas, and what may not enter them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import bank_tables
import duckdb
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from bank_party.history.catalogue import FAMILIES
from bank_party.history.derive import derived
from bank_party.history.output import beside
from bank_party.load import load
from bank_party.main import app
from tandem.errors import InputError
from tandem.node.inputs.source import TableSource

AS_OF = date(2025, 7, 1)


@pytest.fixture(scope="module")
def made():
    return bank_tables.tables()


@pytest.fixture(scope="module")
def folder(made, tmp_path_factory):
    return bank_tables.write(tmp_path_factory.mktemp("raw") / "bank", made)


def frame_of(folder, **options):
    with derived(folder, AS_OF, **options) as found:
        return found.frame()


def months_between(early, late):
    return (late.year - early.year) * 12 + late.month - early.month


def plainly(made, window=3, dormant=6):
    """The same table by loops over people, as the definitions read."""
    rows = []
    use = [(card, month, payments, amount) for card, month, payments, amount in made["card_use"].itertuples(index=False) if payments > 0]
    began = min(month for _, month, _, _ in use)
    by_card = {}
    for card, month, payments, amount in use:
        by_card.setdefault(card, []).append((month, payments, amount))
    start = (pd.Timestamp(AS_OF) - pd.DateOffset(months=dormant)).date()
    end = (pd.Timestamp(AS_OF) + pd.DateOffset(months=window)).date()
    for customer, phone, born, gender, region, tier, joined in made["customers"].itertuples(index=False):
        if phone is None or joined >= AS_OF:
            continue
        cards = [one for one in made["cards"].itertuples(index=False) if one.customer_id == customer and one.issued_on < AS_OF]
        past = {one.card_id: [u for u in by_card.get(one.card_id, []) if u[0] < AS_OF] for one in cards}
        opened = [one for one in cards if one.closed_on is None or one.closed_on >= AS_OF]
        idle = [one for one in opened if one.issued_on <= start and not any(u[0] >= start for u in past[one.card_id])]
        if not idle:
            continue
        card = min(idle, key=lambda one: (-sum(u[1] for u in past[one.card_id]), -one.issued_on.toordinal(), one.card_id))
        every = [u for uses in past.values() for u in uses]
        late = [u for u in every if months_between(u[0], AS_OF) <= 12]
        last = max((u[0] for u in past[card.card_id]), default=None)
        balance = made["balances"][(made["balances"].customer_id == customer) & (made["balances"].month < AS_OF)].sort_values("month")
        six = balance[balance.month >= start]
        x, y = np.array([-months_between(m, AS_OF) for m in six.month], float), six.debit_balance.to_numpy(float)
        own = made["channel_use"][(made["channel_use"].customer_id == customer) & (made["channel_use"].month < AS_OF)]
        own6, own3 = own[own.month >= start], own[own.month >= date(2025, 4, 1)]
        rows.append({
            "customer_id": customer, "phone": phone, "past_payments": sum(u[1] for u in every), "past_amount": sum(u[2] for u in every),
            "past_payments_12m": sum(u[1] for u in late), "past_amount_12m": sum(u[2] for u in late),
            "past_months": len({u[0] for u in every}),
            "past_payment_mean": sum(u[2] for u in every) / sum(u[1] for u in every) if every else None,
            "months_idle": months_between(last or max(card.issued_on, began), AS_OF),
            "never_paid": int(last is None), "product": card.product, "open_cards": len(opened),
            "card_age": months_between(card.issued_on, AS_OF), "credit_limit": card.credit_limit,
            "payments_in_use": sum(u[1] for u in every if u[0] >= start),
            "debit_balance": balance.debit_balance.iloc[-1] if len(balance) else None, "debit_balance_6m": y.mean() if len(y) else None,
            "debit_trend_6m": np.polyfit(x, y, 1)[0] if len(y) > 1 else None,
            "own_use_3m": own3.logins.sum() + own3.transfers.sum() + own3.wealth_purchases.sum(), "own_logins_6m": own6.logins.sum(),
            "own_transfers_6m": own6.transfers.sum(), "own_purchases_6m": own6.wealth_purchases.sum(),
            "age": None if born is None else AS_OF.year - born, "gender": gender, "region": region, "tier": tier,
            "tenure": months_between(joined, AS_OF),
            "activated": int(any(AS_OF <= u[0] < end for one in idle for u in by_card.get(one.card_id, []))),
        })
    return pd.DataFrame(rows)


def test_every_variable_is_what_its_definition_says(made, folder):
    found, expected = frame_of(folder, window=3), plainly(made)
    assert list(found.columns) == ["customer_id", "phone", *(one.name for family in FAMILIES for one in family.variables), "activated"]
    assert found.customer_id.tolist() == expected.customer_id.tolist()
    assert len(found) > 80
    for name in found:
        if name in {"phone", "product", "gender", "region", "tier"}:
            assert found[name].fillna("").tolist() == expected[name].fillna("").tolist(), name
        else:
            np.testing.assert_allclose(found[name].astype(float), expected[name].astype(float), atol=0.006, err_msg=name)
    assert 0 < found.activated.sum() < len(found)


def test_counts_tell_who_is_not_written(made, folder):
    with derived(folder, AS_OF, window=3) as found:
        counts, frame = found.counts, found.frame()
    absent = made["customers"][made["customers"].phone.isna()]
    known = made["customers"][[joined < AS_OF for joined in made["customers"].joined_on]]
    assert counts.customers == len(known)
    assert counts.written == len(frame) == counts.dormant - counts.no_phone
    assert 0 < counts.no_phone <= len(absent)
    assert counts.two_cards > 0
    assert frame.customer_id.is_unique
    assert counts.activated == frame.activated.sum()


def test_nothing_at_or_after_the_date_enters_a_variable(made, folder, tmp_path):
    before = frame_of(folder)
    cards = made["cards"]
    dormant = before.customer_id.tolist()
    planted = {name: frame.copy() for name, frame in made.items()}

    def plant(name, rows):
        planted[name] = pd.concat([planted[name], pd.DataFrame(rows, columns=planted[name].columns, dtype=object)], ignore_index=True)

    for name in ("card_use", "balances", "channel_use"):
        planted[name] = planted[name][[month < AS_OF for month in planted[name].month]]
    plant("card_use", [(card, AS_OF, 99, 1e6) for card in cards[cards.customer_id.isin(dormant)].card_id])
    plant("balances", [(one, AS_OF, 1e9) for one in dormant])
    plant("channel_use", [(one, AS_OF, 999, 999, 999) for one in dormant])
    plant("cards", [(10**6 + one, one, "standard", AS_OF, 1e6, None) for one in dormant])
    plant("customers", [(10**6, "13900000000", 1980, "f", "north", "gold", AS_OF)])
    now = planted["cards"]
    planted["cards"].loc[now.closed_on.isna() & now.customer_id.isin(dormant), "closed_on"] = date(2025, 8, 1)
    after = frame_of(bank_tables.write(tmp_path / "planted", planted))
    pd.testing.assert_frame_equal(before, after, atol=0.011)  # a sum in another order may be rounded the other way
    early = {**planted, "card_use": planted["card_use"].assign(month=[min(month, date(2025, 6, 1)) for month in planted["card_use"].month])}
    early["card_use"] = early["card_use"].drop_duplicates(["card_id", "month"], keep="last")
    with pytest.raises(InputError, match="nobody has a dormant card"):  # a day earlier the same records count
        frame_of(bank_tables.write(tmp_path / "early", early))


def test_a_window_that_is_not_on_record_is_refused(made, folder, tmp_path):
    with pytest.raises(InputError, match="no record in 2025-10, so the label cannot be told at 2025-07-01"):
        frame_of(folder, window=4)
    with pytest.raises(InputError, match="no record in 2022-12, so whether a card"), derived(folder, date(2023, 6, 1)):
        pass
    gap = {**made, "card_use": made["card_use"][[month != date(2025, 8, 1) for month in made["card_use"].month]]}
    with pytest.raises(InputError, match="no record in 2025-08, so the label"):
        frame_of(bank_tables.write(tmp_path / "gap", gap), window=3)


def test_tables_that_are_not_as_they_must_be(made, folder, tmp_path):
    with pytest.raises(InputError, match="first of a month"), derived(folder, date(2025, 7, 2)):
        pass
    with pytest.raises(InputError, match=r"there is no customers\.parquet"), derived(tmp_path, AS_OF):
        pass
    wrong = bank_tables.write(tmp_path / "wrong", made, parts=1)
    place = wrong / "card_use-0001.parquet"
    with duckdb.connect() as database:
        database.execute(f"CREATE TABLE t AS SELECT * REPLACE (CAST(payments AS VARCHAR) AS payments) FROM '{place}'")  # noqa: S608 - our file
        database.execute(f"COPY t TO '{place}' (FORMAT parquet)")
        with pytest.raises(InputError, match="column 'payments' of table card_use is VARCHAR, and must be a number"):
            frame_of(wrong)
        database.execute(f"ALTER TABLE t DROP payments; COPY t TO '{place}' (FORMAT parquet)")
    with pytest.raises(InputError, match="table card_use has no column 'payments'"):
        frame_of(wrong)
    cards = made["cards"]
    undated = {**made, "cards": cards.assign(issued_on=cards.issued_on.where(cards.card_id > cards.card_id[3]))}
    with pytest.raises(InputError, match="4 rows of table cards have no issued_on: fill it in"):
        frame_of(bank_tables.write(tmp_path / "undated", undated))
    twice = {**made, "cards": pd.concat([made["cards"], made["cards"].head(2)])}
    with pytest.raises(InputError, match="2 rows of table cards repeat another's card_id"):
        frame_of(bank_tables.write(tmp_path / "twice", twice))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_command_writes_a_table_that_a_study_reads(folder, tmp_path, ending):
    out = tmp_path / f"bank.{ending}"
    said = CliRunner().invoke(app, ["derive", str(folder), "--as-of", "2025-07-01", "--label", "activation", "--out", str(out)])
    assert said.exit_code == 0, said.output
    assert 'id = "phone", drop = ["customer_id"], label = "activated"' in said.output.replace("\n", "")
    assert {path.stat().st_mode & 0o777 for path in (out, beside(out))} == {0o600}
    assert {path.name for path in tmp_path.iterdir()} == {"bank.json", out.name}
    facts = json.loads(beside(out).read_text())
    expected = frame_of(folder, window=3)
    read = load(TableSource(source=out.name, id="phone", drop=["customer_id"]), tmp_path, "activated")
    assert facts["counts"]["written"] == read.table.rows == len(expected)
    assert read.labels.tolist() == expected.activated.tolist()
    np.testing.assert_allclose(read.table.columns["past_amount"], expected.past_amount)


def test_the_command_lists_its_variables_and_explains_what_is_missing(folder, tmp_path):
    runner = CliRunner()
    said = runner.invoke(app, ["derive", "--list"], env={"COLUMNS": "200"})
    assert [one.name for family in FAMILIES for one in family.variables if one.name not in said.output] == []
    for arguments, text in [
        ([str(folder), "--as-of", "July", "--out", "x.csv"], "is no date"),
        ([str(folder)], "name the folder of the raw tables"),
        ([str(folder), "--as-of", "2025-07-01", "--out", str(tmp_path / "x.xlsx")], "give --out such a name"),
        ([str(folder), "--as-of", "2025-07-01", "--out", str(Path(tmp_path / "no" / "x.csv"))], "does not exist"),
    ]:
        failure = runner.invoke(app, ["derive", *arguments]).exception
        assert isinstance(failure, InputError)
        assert text in str(failure)
