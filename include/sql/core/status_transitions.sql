-- Grain: one row per change of a ticket's status, with how long the status before it had lasted.
WITH compared_segments AS (
  SELECT
    *,
    LAG(status) OVER (PARTITION BY ticket_id ORDER BY segment_number) AS previous_status
  FROM core.ticket_time_segments
),

-- The opening of the ticket counts as an entry too, so that its first status has a beginning.
entries AS (
  SELECT
    *,
    LAG(started_at) OVER in_order AS entered_at,
    LAG(business_seconds_before) OVER in_order AS business_seconds_at_entry
  FROM compared_segments
  WHERE previous_status IS NULL OR status <> previous_status
  WINDOW in_order AS (PARTITION BY ticket_id ORDER BY segment_number)
)

SELECT
  ticket_id,
  segment_number,
  started_at AS changed_at,
  previous_status AS from_status,
  status AS to_status,
  team_id,
  assignee_id,
  {{ sql.seconds_between('entered_at', 'started_at') }} AS lasted_calendar_seconds,
  business_seconds_before - business_seconds_at_entry AS lasted_business_seconds
FROM entries
WHERE previous_status IS NOT NULL
