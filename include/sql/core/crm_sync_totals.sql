-- Grain: one row per kind of record and compared field, and one for all fields: how the systems agree as last known.
WITH fields AS (
  SELECT
    record_kind,
    field,
    state
  FROM core.crm_field_comparisons
  UNION ALL
  SELECT
    record_kind,
    'all' AS field,
    state
  FROM core.crm_field_comparisons
),

totals AS (
  SELECT
    record_kind,
    field,
    CAST(COUNT(CASE WHEN state IN ('equal', 'different') THEN 1 END) AS BIGINT) AS comparable_count,
    CAST(COUNT(CASE WHEN state = 'equal' THEN 1 END) AS BIGINT) AS equal_count,
    CAST(COUNT(CASE WHEN state = 'missing_in_tickets' THEN 1 END) AS BIGINT) AS missing_in_tickets_count,
    CAST(COUNT(CASE WHEN state = 'missing_in_crm' THEN 1 END) AS BIGINT) AS missing_in_crm_count
  FROM fields
  GROUP BY record_kind, field
)

SELECT
  record_kind,
  field,
  comparable_count,
  equal_count,
  {{ sql.ratio('equal_count', 'comparable_count') }} AS accuracy_ratio,
  missing_in_tickets_count,
  missing_in_crm_count
FROM totals
