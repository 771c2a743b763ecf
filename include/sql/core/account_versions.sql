-- Grain: one row per account and span of time in which its tier, segment, owner, status, value and renewal were the same.
-- The first known version reaches back to the beginning, because nothing older is known.
WITH versions AS (
  SELECT
    account_id,
    source_version,
    valid_from,
    COALESCE(tier, 'unknown') AS tier,
    segment,
    owner,
    status,
    annual_value,
    renewal_date,
    LAG(source_version) OVER (PARTITION BY account_id ORDER BY source_version) AS version_before,
    LAG(COALESCE(tier, 'unknown')) OVER (PARTITION BY account_id ORDER BY source_version) AS tier_before,
    LAG(segment) OVER (PARTITION BY account_id ORDER BY source_version) AS segment_before,
    LAG(owner) OVER (PARTITION BY account_id ORDER BY source_version) AS owner_before,
    LAG(status) OVER (PARTITION BY account_id ORDER BY source_version) AS status_before,
    LAG(annual_value) OVER (PARTITION BY account_id ORDER BY source_version) AS annual_value_before,
    LAG(renewal_date) OVER (PARTITION BY account_id ORDER BY source_version) AS renewal_date_before
  FROM staging.accounts_versions
),

span_starts AS (
  SELECT
    account_id,
    source_version,
    tier,
    segment,
    owner,
    status,
    annual_value,
    renewal_date,
    CASE WHEN version_before IS NULL THEN TIMESTAMP '1970-01-01 00:00:00' ELSE valid_from END AS valid_from,
    valid_from AS known_from
  FROM versions
  WHERE
    version_before IS NULL
    OR tier <> tier_before
    OR segment IS DISTINCT FROM segment_before
    OR owner IS DISTINCT FROM owner_before
    OR status IS DISTINCT FROM status_before
    OR annual_value IS DISTINCT FROM annual_value_before
    OR renewal_date IS DISTINCT FROM renewal_date_before
),

spans AS (
  SELECT
    account_id,
    valid_from,
    COALESCE(
      LEAD(valid_from) OVER (PARTITION BY account_id ORDER BY source_version),
      TIMESTAMP '2070-01-01 00:00:00'
    ) AS valid_to,
    known_from,
    tier,
    segment,
    owner,
    status,
    annual_value,
    renewal_date
  FROM span_starts
)

-- Of versions within one second only the last was ever in force.
SELECT
  account_id,
  valid_from,
  valid_to,
  known_from,
  tier,
  segment,
  COALESCE(owner, 'unknown') AS owner,
  status,
  annual_value,
  renewal_date
FROM spans
WHERE valid_from < valid_to
