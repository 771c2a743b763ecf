-- Grain: one row per account of the CRM, as last known.
SELECT
  account_id,
  external_id,
  name AS account_name,
  segment,
  COALESCE(tier, 'unknown') AS tier,
  owner,
  region,
  industry,
  email_domain,
  annual_value,
  renewal_date,
  started_date,
  churned_date,
  status,
  deleted_at IS NOT NULL AS is_deleted
FROM staging.accounts
