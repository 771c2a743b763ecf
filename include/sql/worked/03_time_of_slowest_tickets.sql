-- Grain: one row per owner of the time ledger.
-- Where did the time of the slowest tenth of tickets go?
-- Of the tickets solved in the last 28 days the slowest tenth is taken, rounded down. Every second between creation and
-- solution is booked to exactly one owner, so the hours add up to the resolution times. `queue` is waiting for us,
-- `agent` is work, `customer` and `third_party` are waiting for others; `closed` is time between a solution and a
-- reopening. One ticket in full: `hansei ticket explain ID`.
WITH newest_days AS (
  SELECT MAX(solved_date) AS solved_date
  FROM core.tickets
),

ranked_tickets AS (
  SELECT
    tickets.ticket_id,
    tickets.solved_at,
    ROW_NUMBER() OVER (ORDER BY tickets.full_resolution_calendar_seconds DESC, tickets.ticket_id) AS slowness_rank,
    COUNT(*) OVER () AS ticket_count
  FROM core.tickets AS tickets
  INNER JOIN newest_days ON tickets.solved_date > newest_days.solved_date - 28
  WHERE
    tickets.full_resolution_calendar_seconds IS NOT NULL
    AND NOT tickets.is_deleted
    AND NOT tickets.is_merged
    AND NOT tickets.is_spam
),

owner_times AS (
  SELECT
    segments.owner,
    COUNT(DISTINCT segments.ticket_id) AS ticket_count,
    CAST(SUM(segments.calendar_seconds) AS DOUBLE PRECISION) AS calendar_seconds,
    CAST(SUM(segments.business_seconds) AS DOUBLE PRECISION) AS business_seconds
  FROM ranked_tickets AS tickets
  INNER JOIN core.ticket_time_segments AS segments
    ON tickets.ticket_id = segments.ticket_id
    AND tickets.solved_at >= segments.ended_at
  WHERE tickets.slowness_rank * 10 <= tickets.ticket_count
  GROUP BY segments.owner
)

SELECT
  owner,
  ticket_count,
  calendar_seconds / 3600 AS calendar_hours,
  business_seconds / 3600 AS business_hours,
  calendar_seconds / NULLIF(SUM(calendar_seconds) OVER (), 0) AS calendar_ratio
FROM owner_times
ORDER BY calendar_seconds DESC, owner
