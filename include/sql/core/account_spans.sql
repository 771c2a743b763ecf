-- Grain: one row per account, kind and unbroken span of days in which it held:
-- exposed (a service level was breached within the last {{ churn.exposure_days }} days), repeatedly_breached (at least
-- {{ churn.repeated_breach_count }} within that time), openly_breached (a clock beyond its target still runs), and
-- renewal_openly_breached (the same, with a renewal within the next {{ churn.renewal_days }} days).
WITH breaches AS (
  SELECT
    account_id,
    breached_date,
    ended_date,
    LEAD(breached_date, {{ churn.repeated_breach_count - 1 }}) OVER (
      PARTITION BY account_id
      ORDER BY breached_date, breached_at, ticket_id, metric, turn_number
    ) AS repeated_date
  FROM core.account_breaches
  WHERE NOT (is_deleted OR is_merged OR is_spam OR is_bot_only)
),

open_breaches AS (
  SELECT
    account_id,
    breached_date AS started_date,
    COALESCE(ended_date, DATE '2070-01-01') AS ended_date
  FROM breaches
),

renewals AS (
  SELECT
    account_id,
    GREATEST(renewal_date - {{ churn.renewal_days }}, CAST(valid_from AS DATE)) AS started_date,
    LEAST(renewal_date + 1, CAST(valid_to AS DATE)) AS ended_date
  FROM core.account_versions
  WHERE renewal_date IS NOT NULL
),

-- Days, the last one not included; the same span counts once however many breaches make it.
spans AS (
  SELECT
    account_id,
    'exposed' AS kind,
    breached_date AS started_date,
    breached_date + {{ churn.exposure_days }} AS ended_date
  FROM breaches
  UNION
  SELECT
    account_id,
    'repeatedly_breached' AS kind,
    repeated_date AS started_date,
    breached_date + {{ churn.exposure_days }} AS ended_date
  FROM breaches
  WHERE repeated_date IS NOT NULL
  UNION
  SELECT
    account_id,
    'openly_breached' AS kind,
    started_date,
    ended_date
  FROM open_breaches
  UNION
  SELECT
    open_breaches.account_id,
    'renewal_openly_breached' AS kind,
    GREATEST(open_breaches.started_date, renewals.started_date) AS started_date,
    LEAST(open_breaches.ended_date, renewals.ended_date) AS ended_date
  FROM open_breaches
  INNER JOIN renewals ON open_breaches.account_id = renewals.account_id
),

-- An account that has left is no longer exposed to anything.
lived_spans AS (
  SELECT
    spans.account_id,
    spans.kind,
    spans.started_date,
    CASE
      WHEN churns.churned_date < spans.ended_date THEN churns.churned_date
      ELSE spans.ended_date
    END AS ended_date
  FROM spans
  LEFT JOIN core.account_churns AS churns ON spans.account_id = churns.account_id
),

marked_spans AS (
  SELECT
    *,
    MAX(ended_date) OVER (
      PARTITION BY account_id, kind
      ORDER BY started_date, ended_date
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS reached_date
  FROM lived_spans
  WHERE started_date < ended_date
),

numbered_spans AS (
  SELECT
    *,
    COUNT(CASE WHEN reached_date IS NULL OR started_date > reached_date THEN 1 END) OVER (
      PARTITION BY account_id, kind
      ORDER BY started_date, ended_date
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS span_number
  FROM marked_spans
),

merged_spans AS (
  SELECT
    account_id,
    kind,
    MIN(started_date) AS started_date,
    NULLIF(MAX(ended_date), DATE '2070-01-01') AS ended_date
  FROM numbered_spans
  GROUP BY account_id, kind, span_number
)

SELECT
  spans.account_id,
  spans.kind,
  spans.started_date,
  spans.ended_date,
  COALESCE(versions.annual_value, accounts.annual_value) AS annual_value,
  COALESCE(versions.tier, accounts.tier, 'unknown') AS account_tier,
  COALESCE(versions.owner, accounts.owner, 'unknown') AS account_owner,
  COALESCE(versions.segment, accounts.segment, 'unknown') AS market_segment,
  COALESCE(accounts.region, 'unknown') AS region,
  COALESCE(accounts.is_deleted, TRUE) AS is_deleted
FROM merged_spans AS spans
LEFT JOIN core.accounts AS accounts ON spans.account_id = accounts.account_id
LEFT JOIN core.reporting_days AS days ON spans.started_date = days.reporting_date
LEFT JOIN core.account_versions AS versions
  ON spans.account_id = versions.account_id
  AND days.started_at >= versions.valid_from
  AND days.started_at < versions.valid_to
