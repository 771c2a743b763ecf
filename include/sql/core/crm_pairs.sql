-- Grain: one row per matched record of the ticket side of which at least one field can be compared.
-- The lag runs from one system's time of creation to the other's. Where the CRM knew the person first, or a system does
-- not say when, nothing was waited for.
WITH pairs AS (
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
)

SELECT
  pairs.record_kind,
  pairs.ticket_key,
  pairs.crm_key,
  pairs.comparable_field_count,
  pairs.equal_field_count,
  pairs.is_accurate,
  CASE
    WHEN crm_records.created_at >= ticket_records.created_at
      THEN {{ sql.seconds_between('ticket_records.created_at', 'crm_records.created_at') }}
  END AS crm_lag_seconds,
  pairs.created_date,
  pairs.account_tier
FROM pairs
-- Not an AND in the join: of a condition on one side alone DuckDB makes a loop over all pairs.
LEFT JOIN staging.customers AS ticket_records
  ON CASE WHEN pairs.record_kind = 'customers' THEN pairs.ticket_key END = ticket_records.customer_id
LEFT JOIN staging.customers AS crm_records
  ON CASE WHEN pairs.record_kind = 'customers' THEN pairs.crm_key END = crm_records.customer_id
