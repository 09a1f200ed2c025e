-- What the bank knew at the end of the day before as_of. Every variable reads these views, and no raw table.
-- as_of is the first of a month; months_ago = 1 is the month before it.

CREATE TEMP VIEW known_customers AS
SELECT * FROM raw_customers WHERE joined_on < getvariable('as_of');

CREATE TEMP VIEW known_cards AS
SELECT card_id, customer_id, product, issued_on, credit_limit,
       closed_on IS NULL OR closed_on >= getvariable('as_of') AS open   -- a closing still to come is not known
FROM raw_cards SEMI JOIN known_customers USING (customer_id)
WHERE issued_on < getvariable('as_of');

CREATE TEMP VIEW known_use AS
SELECT card_id, customer_id, month, payments, amount, date_diff('month', month, getvariable('as_of')) AS months_ago
FROM raw_card_use JOIN known_cards USING (card_id)
WHERE month < getvariable('as_of') AND payments > 0;

CREATE TEMP VIEW known_balances AS
SELECT customer_id, debit_balance, date_diff('month', month, getvariable('as_of')) AS months_ago
FROM raw_balances WHERE month < getvariable('as_of');

CREATE TEMP VIEW known_channels AS
SELECT customer_id, logins, transfers, wealth_purchases, date_diff('month', month, getvariable('as_of')) AS months_ago
FROM raw_channel_use WHERE month < getvariable('as_of');
