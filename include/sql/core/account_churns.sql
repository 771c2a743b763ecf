-- Grain: one row per account that has left.
-- Where the CRM gives no day, it is the day on which the status first said so, if an earlier version said otherwise;
-- else nobody knows the day, and the account counts in no period.
WITH status_changes AS (
  SELECT
    account_id,
    MIN(CASE WHEN status = 'churned' THEN valid_from END) AS churned_at,
    MIN(valid_from) AS first_known_at
  FROM core.account_versions
  GROUP BY account_id
),

churns AS (
  SELECT
    accounts.account_id,
    COALESCE(
      accounts.churned_date,
      CASE
        WHEN accounts.status = 'churned' AND status_changes.churned_at > status_changes.first_known_at
          THEN {{ sql.reporting_date('status_changes.churned_at', 'churned_day') }}
      END
    ) AS churned_date,
    CASE WHEN accounts.churned_date IS NOT NULL THEN 'churned_date' ELSE 'status' END AS dated_by,
    accounts.annual_value,
    accounts.tier,
    accounts.region,
    accounts.segment,
    accounts.is_deleted
  FROM core.accounts AS accounts
  LEFT JOIN status_changes ON accounts.account_id = status_changes.account_id
  LEFT JOIN core.reporting_offsets AS churned_day ON CAST(status_changes.churned_at AS DATE) = churned_day.utc_date
  WHERE accounts.churned_date IS NOT NULL OR accounts.status = 'churned'
)

-- What it was worth and which tier it had the day before it left.
SELECT
  churns.account_id,
  churns.churned_date,
  churns.dated_by,
  COALESCE(versions.annual_value, churns.annual_value) AS annual_value,
  COALESCE(versions.tier, churns.tier) AS account_tier,
  COALESCE(churns.segment, 'unknown') AS market_segment,
  COALESCE(churns.region, 'unknown') AS region,
  churns.is_deleted
FROM churns
LEFT JOIN core.reporting_days AS days_before ON churns.churned_date - 1 = days_before.reporting_date
LEFT JOIN core.account_versions AS versions
  ON churns.account_id = versions.account_id
  AND days_before.started_at >= versions.valid_from
  AND days_before.started_at < versions.valid_to
