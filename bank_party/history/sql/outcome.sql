-- The label: a payment with a card that was dormant, in [as_of, as_of + window months). A second card in use all along says nothing.

CREATE TEMP TABLE outcome AS
SELECT customer_id, CAST(bool_or(coalesce(later.payments, 0) > 0) AS TINYINT) AS activated
FROM dormant_cards
LEFT JOIN (
    SELECT card_id, sum(payments) AS payments FROM raw_card_use
    WHERE month >= getvariable('as_of') AND month < getvariable('as_of') + to_months(getvariable('window_months'))
    GROUP BY card_id
) AS later USING (card_id)
GROUP BY customer_id;
