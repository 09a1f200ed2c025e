"""Identifiers folded into one person: connected components over observed pairs, and who holds an identifier when.

The rule, over the pairs seen before the as-of date (a pair of two phones is no evidence):

1. A device or cookie that was seen with several phones: in the order of first sightings, phones whose sightings overlap (the next was
   first seen no later than an earlier one was last seen) are one person's, with two numbers. Where they do not overlap it was handed on:
   it is the earlier holder's until the next one's first sighting, and the last holder's from there. Only the last is folded with it.
2. A device or cookie that was never seen with a phone belongs with the ones that it was seen with. Between two that both were seen with
   phones, a pair adds nothing: the phones decide.
3. A device or cookie that was seen with more than MOST_PHONES phones in all is public (a shop's) and nobody's. A person is a connected
   component of the rest. A component with more than MOST_PHONES phones is no person: its phones stay single, the rest is nobody's.
4. A broadband account never folds persons together. If what it was seen with is one person's, it is that person's; if several persons', it
   is a household's: what happens under it is nobody's, and is counted for none.
"""

# ruff: noqa: S608 - names and dates in these statements are our own, paths are quoted

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from telco_party.features.raw import Database

Numbers: TypeAlias = NDArray[np.int64]

MOST_PHONES = 4
"""Phone numbers that one person may have."""

_PAIRS = f"""
CREATE TEMP TABLE pair AS
SELECT kind, value, other_kind, other_value, min(seen_on) AS first, max(seen_on) AS last FROM (
  SELECT * FROM known_identifiers
  UNION ALL SELECT other_kind, other_value, kind, value, seen_on FROM known_identifiers)
WHERE kind <> 'phone' AND (other_kind <> 'phone' OR other_value IN (SELECT phone FROM subscriber)) GROUP BY ALL;
CREATE TEMP TABLE public AS
SELECT kind, value FROM pair WHERE kind IN ('device', 'cookie') AND other_kind = 'phone' GROUP BY kind, value
HAVING count(*) > {MOST_PHONES};
DELETE FROM pair
WHERE (kind, value) IN (SELECT (kind, value) FROM public) OR (other_kind, other_value) IN (SELECT (kind, value) FROM public);

-- One row a phone that a device or cookie was seen with; `run` numbers its holders, those of one run at the same time.
CREATE TEMP TABLE sighting AS
SELECT *, sum(starts) OVER (PARTITION BY kind, value ORDER BY first, phone)::INTEGER AS run FROM (
  SELECT kind, value, other_value AS phone, first, last,
    coalesce(first > max(last) OVER (PARTITION BY kind, value ORDER BY first, other_value ROWS BETWEEN UNBOUNDED PRECEDING
      AND 1 PRECEDING), TRUE)::INTEGER AS starts
  FROM pair WHERE kind IN ('device', 'cookie') AND other_kind = 'phone');

CREATE TEMP TABLE spell AS
SELECT *, lead(since) OVER (PARTITION BY kind, value ORDER BY run) AS until FROM (
  SELECT kind, value, run, min(phone) AS phone, min(first) AS since FROM sighting GROUP BY kind, value, run);

CREATE TEMP TABLE node AS
SELECT row_number() OVER (ORDER BY kind, value) - 1 AS number, kind, value FROM (
  SELECT 'phone' AS kind, phone AS value FROM subscriber UNION
  SELECT kind, value FROM pair WHERE kind IN ('device', 'cookie') UNION
  SELECT other_kind, other_value FROM pair WHERE other_kind IN ('device', 'cookie'));
"""

_EDGES = """
SELECT one.number AS one, other.number AS other FROM (
  SELECT 'phone' AS kind, spell.phone AS value, 'phone' AS other_kind, sighting.phone AS other_value
  FROM sighting JOIN spell USING (kind, value, run)
  UNION ALL SELECT kind, value, 'phone', phone FROM spell WHERE until IS NULL
  UNION ALL SELECT kind, value, other_kind, other_value FROM pair
  WHERE kind IN ('device', 'cookie') AND other_kind IN ('device', 'cookie')
    AND NOT ((kind, value) IN (SELECT (kind, value) FROM spell) AND (other_kind, other_value) IN (SELECT (kind, value) FROM spell)))
JOIN node AS one USING (kind, value) JOIN node AS other ON other.kind = other_kind AND other.value = other_value
"""

_PERSONS = f"""
CREATE TEMP TABLE folded AS SELECT number, kind, value, label FROM node JOIN labelled USING (number);
CREATE TEMP TABLE crowd AS SELECT label FROM folded WHERE kind = 'phone' GROUP BY label HAVING count(*) > {MOST_PHONES};
CREATE TEMP TABLE person_of AS
SELECT kind, value, CASE WHEN label IN (SELECT label FROM crowd) THEN CASE WHEN kind = 'phone' THEN -1 - number END ELSE label END AS person
FROM folded WHERE label IN (SELECT label FROM folded WHERE kind = 'phone');

-- What a broadband account was seen with, as persons.
CREATE TEMP TABLE account AS
SELECT DISTINCT pair.value, person FROM pair JOIN person_of ON person_of.kind = other_kind AND person_of.value = other_value
WHERE pair.kind = 'broadband' AND person IS NOT NULL;
CREATE TEMP TABLE household AS
SELECT account.value, person, sum(count(*)) OVER (PARTITION BY account.value) AS phones
FROM account JOIN person_of USING (person) WHERE kind = 'phone' GROUP BY account.value, person;

CREATE TEMP TABLE holding AS
SELECT held.*, CASE WHEN since > DATE '0001-01-01' THEN since ELSE first END AS first_seen FROM (
  SELECT kind, value, person, DATE '0001-01-01' AS since, DATE '9999-12-31' AS until, TRUE AS current FROM person_of
  WHERE person IS NOT NULL AND (kind, value) NOT IN (SELECT (kind, value) FROM spell)
  UNION ALL
  SELECT spell.kind, spell.value, person, CASE WHEN run = 1 THEN DATE '0001-01-01' ELSE since END,
    coalesce(until, DATE '9999-12-31'), until IS NULL
  FROM spell JOIN person_of ON person_of.kind = 'phone' AND person_of.value = spell.phone
  WHERE person >= 0
  UNION ALL
  SELECT 'broadband', value, any_value(person), DATE '0001-01-01', DATE '9999-12-31', TRUE FROM account GROUP BY value HAVING count(*) = 1
) AS held LEFT JOIN (SELECT kind, value, min(first) AS first FROM pair GROUP BY kind, value) USING (kind, value);
"""


def components(nodes: int, one: Numbers, other: Numbers) -> Numbers:
    """Return (nodes,) the number of each node's connected component, over the edges one[i] - other[i]."""
    graph = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(nodes, nodes))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def fold(database: Database) -> None:
    """Make `holding` (kind, value, person, since, until, current, first_seen) and `household` (value, person, phones) of what is known.

    `subscriber` and `known_identifiers` are read (see features/raw.py). `current` marks what a person holds at the as-of date.
    """
    database.execute(_PAIRS)
    nodes = int(database.execute("SELECT count(*) FROM node").fetchall()[0][0])
    edges = database.execute(_EDGES).fetchnumpy()
    labels = components(nodes, np.asarray(edges["one"], dtype=np.int64), np.asarray(edges["other"], dtype=np.int64))
    labelled = {"number": np.arange(nodes, dtype=np.int64), "label": labels}
    database.register("labelled", labelled)
    database.execute(_PERSONS)
    database.unregister("labelled")
    for table in ("pair", "public", "sighting", "spell", "node", "folded", "crowd", "account", "person_of"):
        database.execute(f"DROP TABLE {table}")
