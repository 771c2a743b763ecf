-- Grain: one row per change of a ticket's status, with how long the status before it had lasted.
WITH numbered_segments AS (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY ticket_id ORDER BY segment_number) AS segment_rank
  FROM core.ticket_time_segments
),

entries AS (
  SELECT
    ticket_id,
    segment_number,
    started_at,
    business_seconds_before,
    status,
    previous_status,
    team_id,
    assignee_id,
    LAG(started_at) OVER in_order AS entered_at,
    LAG(business_seconds_before) OVER in_order AS business_seconds_at_entry
  FROM numbered_segments
  WHERE status <> previous_status OR segment_rank = 1
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
WHERE status <> previous_status
