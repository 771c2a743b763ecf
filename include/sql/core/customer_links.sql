-- Grain: one row per customer key; keys of one person in several systems share the person's first key.
-- Two keys are one person where the pseudonyms of their e-mail addresses are equal.
SELECT
  customers.customer_id AS source_key,
  COALESCE(people.person_id, customers.customer_id) AS person_id,
  CASE WHEN people.person_id IS NULL THEN 'own_key' ELSE 'same_email_address' END AS rule,
  TIMESTAMP '1970-01-01 00:00:00' AS valid_from,
  TIMESTAMP '2070-01-01 00:00:00' AS valid_to
FROM staging.customers AS customers
LEFT JOIN (
  SELECT
    email,
    MIN(customer_id) AS person_id
  FROM staging.customers
  WHERE email IS NOT NULL
  GROUP BY email
) AS people
  ON customers.email = people.email
