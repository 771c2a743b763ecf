-- Grain: one row per account and ISO week in which something of it happened.
WITH happenings AS (
  SELECT
    account_id,
    created_date AS happened_date,
    'ticket' AS kind
  FROM core.tickets
  WHERE account_id IS NOT NULL AND NOT (is_deleted OR is_merged OR is_spam OR is_bot_only)
  UNION ALL
  SELECT
    account_id,
    created_date AS happened_date,
    'urgent_ticket' AS kind
  FROM core.tickets
  WHERE
    account_id IS NOT NULL
    AND created_priority = 'urgent'
    AND NOT (is_deleted OR is_merged OR is_spam OR is_bot_only)
  UNION ALL
  SELECT
    account_id,
    received_date AS happened_date,
    'complaint' AS kind
  FROM core.complaints
  WHERE account_id IS NOT NULL AND NOT (is_deleted OR is_merged OR is_spam)
  UNION ALL
  -- What is only expected to be late has not happened yet.
  SELECT
    account_id,
    breached_date AS happened_date,
    'sla_breach' AS kind
  FROM core.account_breaches
  WHERE NOT (is_expected OR is_deleted OR is_merged OR is_spam OR is_bot_only)
  UNION ALL
  SELECT
    account_id,
    responded_date AS happened_date,
    CASE WHEN survey_kind = 'nps' THEN 'detractor' ELSE 'low_csat' END AS kind
  FROM core.survey_responses
  WHERE
    account_id IS NOT NULL
    AND NOT is_deleted
    AND (
      (survey_kind = 'nps' AND score <= 6)
      OR (survey_kind = 'csat' AND score <= scale_minimum + 1)
    )
)

SELECT
  account_id,
  {{ sql.period_start('week', 'happened_date') }} AS week_start_date,
  CAST(COUNT(CASE WHEN kind = 'ticket' THEN 1 END) AS INTEGER) AS ticket_count,
  CAST(COUNT(CASE WHEN kind = 'urgent_ticket' THEN 1 END) AS INTEGER) AS urgent_ticket_count,
  CAST(COUNT(CASE WHEN kind = 'sla_breach' THEN 1 END) AS INTEGER) AS sla_breach_count,
  CAST(COUNT(CASE WHEN kind = 'complaint' THEN 1 END) AS INTEGER) AS complaint_count,
  CAST(COUNT(CASE WHEN kind = 'low_csat' THEN 1 END) AS INTEGER) AS low_csat_count,
  CAST(COUNT(CASE WHEN kind = 'detractor' THEN 1 END) AS INTEGER) AS detractor_count
FROM happenings
GROUP BY account_id, {{ sql.period_start('week', 'happened_date') }}
