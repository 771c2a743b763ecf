-- Grain: one row per sampled check of work. Of several checks of one ticket only the first counts; the others are here,
-- flagged.
WITH checks AS (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY ticket_id ORDER BY checked_at, quality_check_id) AS check_number
  FROM staging.quality_checks
  WHERE deleted_at IS NULL
)

SELECT
  checks.quality_check_id,
  checks.ticket_id,
  checks.agent_id,
  checks.checked_at,
  {{ sql.reporting_date('checks.checked_at', 'checked_day') }} AS checked_date,
  checks.checked_item_count,
  checks.error_count AS error_item_count,
  checks.corrected_count AS corrected_item_count,
  CASE WHEN checks.corrected_count IS NOT NULL THEN checks.error_count END AS correctable_item_count,
  COALESCE(checks.found_error_count, checks.error_count) AS found_error_count,
  COALESCE(tickets.channel, 'unknown') AS channel,
  COALESCE(checks.team_id, tickets.solved_team_id, 'unassigned') AS team_id,
  COALESCE(tickets.created_account_tier, 'unlinked') AS account_tier,
  checks.ticket_id IS NOT NULL AND checks.check_number > 1 AS is_repeated
FROM checks
LEFT JOIN core.tickets AS tickets ON checks.ticket_id = tickets.ticket_id
LEFT JOIN core.reporting_offsets AS checked_day ON CAST(checks.checked_at AS DATE) = checked_day.utc_date
