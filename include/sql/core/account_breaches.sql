-- Grain: one row per service-level clock of a linked account's ticket that ran beyond its target.
-- A clock that still runs is here with the instant at which it will be beyond it, if nobody stops it before: a date in
-- the future counts once its day has come, so that nothing stored grows with time.
SELECT
  targets.ticket_id,
  targets.metric,
  targets.turn_number,
  tickets.account_id,
  COALESCE(targets.breached_at, targets.late_at) AS breached_at,
  {{ sql.reporting_date('COALESCE(targets.breached_at, targets.late_at)', 'breached_day') }} AS breached_date,
  targets.ended_at,
  targets.ended_date,
  targets.breached_at IS NULL AS is_expected,
  targets.channel,
  targets.team_id,
  targets.priority,
  COALESCE(versions.tier, 'unknown') AS account_tier,
  targets.is_deleted,
  targets.is_merged,
  targets.is_spam,
  targets.is_bot_only
FROM {{ rows('core.ticket_sla_targets') }} AS targets
INNER JOIN {{ rows('core.tickets') }} AS tickets ON targets.ticket_id = tickets.ticket_id
LEFT JOIN core.account_versions AS versions
  ON tickets.account_id = versions.account_id
  AND COALESCE(targets.breached_at, targets.late_at) >= versions.valid_from
  AND COALESCE(targets.breached_at, targets.late_at) < versions.valid_to
LEFT JOIN core.reporting_offsets AS breached_day
  ON CAST(COALESCE(targets.breached_at, targets.late_at) AS DATE) = breached_day.utc_date
WHERE
  tickets.account_id IS NOT NULL
  AND (targets.breached_at IS NOT NULL OR (targets.ended_at IS NULL AND targets.late_at IS NOT NULL))
