-- Cards that are dormant: open, at least `dormant_months` old, and without a payment in as many months before as_of.

CREATE TEMP TABLE dormant_cards AS
SELECT card_id, customer_id, product, issued_on, credit_limit, coalesce(past.payments, 0) AS payments, past.last_paid
FROM known_cards
LEFT JOIN (SELECT card_id, sum(payments) AS payments, max(month) AS last_paid FROM known_use GROUP BY card_id) AS past USING (card_id)
WHERE open
  AND issued_on <= getvariable('as_of') - to_months(getvariable('dormant_months'))
  AND card_id NOT IN (SELECT card_id FROM known_use WHERE months_ago <= getvariable('dormant_months'));

-- A customer with several is one row, and speaks of the card that was used most, then of the newest.
CREATE TEMP TABLE dormant AS
SELECT * FROM dormant_cards
QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY payments DESC, issued_on DESC, card_id) = 1;

-- Those whom nobody can call or match, having no phone, are counted and not written.
CREATE TEMP TABLE people AS
SELECT customer_id, known_customers.phone
FROM known_customers SEMI JOIN dormant USING (customer_id)
WHERE trim(coalesce(phone, '')) <> '';
