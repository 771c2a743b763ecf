-- Grain: one row per account and span of time in which its tier, segment and status were the same.
-- The first known version reaches back to the beginning, because nothing older is known.
SELECT
  account_id,
  CASE
    WHEN LAG(source_version) OVER (PARTITION BY account_id ORDER BY source_version) IS NULL THEN TIMESTAMP '1970-01-01 00:00:00'
    ELSE valid_from
  END AS valid_from,
  COALESCE(
    LEAD(valid_from) OVER (PARTITION BY account_id ORDER BY source_version),
    TIMESTAMP '2070-01-01 00:00:00'
  ) AS valid_to,
  COALESCE(tier, 'unknown') AS tier,
  segment,
  status
FROM staging.accounts_versions
