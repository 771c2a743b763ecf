-- Grain: one row per team with open tickets at the newest snapshot.
-- How old is what lies with each team?
-- Every day is kept: write a date in place of the newest. The snapshot's time of day is `snapshot_time` in
-- service.yaml, 23:59:59 where it is not set. Counts and summed ages add up over channels and priorities; of the oldest
-- ages take the greatest.
WITH newest_days AS (
  SELECT MAX(snapshot_date) AS snapshot_date
  FROM core.backlog_days
)

SELECT
  backlog.snapshot_date,
  backlog.team_id,
  CAST(SUM(backlog.open_ticket_count) AS BIGINT) AS open_ticket_count,
  CAST(SUM(backlog.under_1_day_count) AS BIGINT) AS under_1_day_count,
  CAST(SUM(backlog.from_1_day_count) AS BIGINT) AS from_1_day_count,
  CAST(SUM(backlog.from_3_days_count) AS BIGINT) AS from_3_days_count,
  CAST(SUM(backlog.from_7_days_count) AS BIGINT) AS from_7_days_count,
  CAST(SUM(backlog.from_30_days_count) AS BIGINT) AS from_30_days_count,
  CAST(SUM(backlog.age_calendar_seconds) AS DOUBLE PRECISION) / SUM(backlog.open_ticket_count) / 86400 AS mean_age_days,
  CAST(MAX(backlog.oldest_age_calendar_seconds) AS DOUBLE PRECISION) / 86400 AS oldest_age_days
FROM core.backlog_days AS backlog
INNER JOIN newest_days ON backlog.snapshot_date = newest_days.snapshot_date
GROUP BY backlog.snapshot_date, backlog.team_id
ORDER BY open_ticket_count DESC, backlog.team_id
