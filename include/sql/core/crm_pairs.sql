-- Grain: one row per matched record of the ticket side of which at least one field can be compared.
SELECT
  record_kind,
  ticket_key,
  MIN(crm_key) AS crm_key,
  CAST(COUNT(CASE WHEN state IN ('equal', 'different') THEN 1 END) AS INTEGER) AS comparable_field_count,
  CAST(COUNT(CASE WHEN state = 'equal' THEN 1 END) AS INTEGER) AS equal_field_count,
  COUNT(CASE WHEN state = 'different' THEN 1 END) = 0 AS is_accurate,
  MIN(created_date) AS created_date,
  MIN(account_tier) AS account_tier
FROM core.crm_field_comparisons
GROUP BY record_kind, ticket_key
HAVING COUNT(CASE WHEN state IN ('equal', 'different') THEN 1 END) > 0
