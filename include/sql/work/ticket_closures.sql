-- Grain: one row per span of a ticket's life in which it was closed (solved, closed or deleted).
-- A span that is over only because the life ended has no end: nothing follows it.
WITH closed_segments AS (
  SELECT
    ticket_number,
    mark_number,
    started_at,
    ended_at,
    business_seconds_before AS started_position,
    business_seconds_before + business_seconds AS ended_position,
    LAG(ended_at) OVER (PARTITION BY ticket_number ORDER BY mark_number) AS ended_before
  FROM {{ rows('work.ticket_segments') }}
  WHERE owner = 'closed'
),

numbered_segments AS (
  SELECT
    *,
    COUNT(CASE WHEN ended_before IS NULL OR ended_before < started_at THEN 1 END) OVER (
      PARTITION BY ticket_number ORDER BY mark_number ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS closure_number
  FROM closed_segments
),

closures AS (
  SELECT
    ticket_number,
    closure_number,
    MIN(started_at) AS started_at,
    MIN(started_position) AS started_position,
    MAX(ended_at) AS ended_at,
    MAX(ended_position) AS ended_position,
    MAX(mark_number) AS last_mark_number
  FROM numbered_segments
  GROUP BY ticket_number, closure_number
)

SELECT
  closures.ticket_number,
  CAST(closures.closure_number AS INTEGER) AS closure_number,
  closures.last_mark_number = owner_times.last_mark_number AS is_last,
  closures.started_at,
  closures.started_position,
  CASE WHEN closures.last_mark_number < owner_times.last_mark_number THEN closures.ended_at END AS ended_at,
  CASE WHEN closures.last_mark_number < owner_times.last_mark_number THEN closures.ended_position END AS ended_position
FROM closures
INNER JOIN {{ rows('work.ticket_owner_times') }} AS owner_times ON closures.ticket_number = owner_times.ticket_number
-- Solved and opened again in the same instant is no closing.
WHERE closures.last_mark_number = owner_times.last_mark_number OR closures.ended_at > closures.started_at
