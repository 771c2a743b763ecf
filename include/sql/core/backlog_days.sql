-- Grain: one row per day up to the newest run, channel, team and priority with open tickets at the day's snapshot.
-- The snapshot is taken at the time of day that service.yaml declares, not when the run happens.
WITH snapshots AS (
  SELECT
    reporting_date,
    {{ sql.add_seconds('ended_at', '-' ~ service.snapshot_seconds_before_midnight) }} AS snapshot_at
  FROM core.reporting_days
  WHERE ended_at <= (SELECT MAX(as_of) FROM ops.runs)
),

open_tickets AS (
  SELECT
    snapshots.reporting_date,
    intervals.channel,
    intervals.team_id,
    intervals.priority,
    {{ sql.seconds_between('tickets.created_at', 'snapshots.snapshot_at') }} AS age_seconds
  FROM snapshots
  INNER JOIN core.backlog_intervals AS intervals
    ON snapshots.snapshot_at >= intervals.opened_at
    AND snapshots.snapshot_at < COALESCE(intervals.ended_at, TIMESTAMP '2070-01-01 00:00:00')
  INNER JOIN core.tickets AS tickets ON intervals.ticket_id = tickets.ticket_id
  WHERE
    NOT intervals.is_deleted
    AND NOT intervals.is_merged
    AND NOT intervals.is_spam
)

SELECT
  reporting_date AS snapshot_date,
  channel,
  team_id,
  priority,
  COUNT(*) AS open_ticket_count,
  COUNT(CASE WHEN age_seconds < 86400 THEN 1 END) AS under_1_day_count,
  COUNT(CASE WHEN age_seconds >= 86400 AND age_seconds < 3 * 86400 THEN 1 END) AS from_1_day_count,
  COUNT(CASE WHEN age_seconds >= 3 * 86400 AND age_seconds < 7 * 86400 THEN 1 END) AS from_3_days_count,
  COUNT(CASE WHEN age_seconds >= 7 * 86400 AND age_seconds < 30 * 86400 THEN 1 END) AS from_7_days_count,
  COUNT(CASE WHEN age_seconds >= 30 * 86400 THEN 1 END) AS from_30_days_count,
  CAST(SUM(age_seconds) AS BIGINT) AS age_calendar_seconds,
  MAX(age_seconds) AS oldest_age_calendar_seconds
FROM open_tickets
GROUP BY reporting_date, channel, team_id, priority
