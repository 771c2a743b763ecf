-- Grain: one row per ticket and span of time in which it was open with the same team and priority.
-- A span is half open; an open ticket's last span has no end, so that no stored value grows with time.
WITH numbered_segments AS (
  SELECT
    ticket_number,
    mark_number,
    started_at,
    ended_at,
    owner <> 'closed' AS is_open,
    COALESCE(team_number, 0) AS team_number,
    COALESCE(priority_number, 0) AS priority_number
  FROM {{ rows('work.ticket_segments') }}
  WHERE ended_at IS NULL OR ended_at > started_at
),

compared_segments AS (
  SELECT
    *,
    LAG(is_open) OVER in_order AS was_open,
    LAG(team_number) OVER in_order AS team_number_before,
    LAG(priority_number) OVER in_order AS priority_number_before
  FROM numbered_segments
  WINDOW in_order AS (PARTITION BY ticket_number ORDER BY mark_number)
),

-- A span begins where something differs from what was before, and ends where the next one begins.
edges AS (
  SELECT *
  FROM compared_segments
  WHERE
    was_open IS NULL
    OR is_open <> was_open
    OR (is_open AND (team_number <> team_number_before OR priority_number <> priority_number_before))
),

open_spans AS (
  SELECT
    edges.*,
    LEAD(started_at) OVER (PARTITION BY ticket_number ORDER BY mark_number) AS next_started_at
  FROM edges
),

ended_spans AS (
  SELECT
    open_spans.ticket_number,
    open_spans.started_at AS opened_at,
    CASE
      WHEN open_spans.next_started_at IS NOT NULL THEN open_spans.next_started_at
      WHEN owner_times.current_owner IS NULL THEN owner_times.last_ended_at
    END AS ended_at,
    open_spans.team_number,
    open_spans.priority_number
  FROM open_spans
  INNER JOIN {{ rows('work.ticket_owner_times') }} AS owner_times
    ON open_spans.ticket_number = owner_times.ticket_number
  WHERE open_spans.is_open
)

SELECT
  tickets.ticket_id,
  ended_spans.opened_at,
  {{ sql.reporting_date('ended_spans.opened_at', 'opened_day') }} AS opened_date,
  ended_spans.ended_at,
  {{ sql.reporting_date('ended_spans.ended_at', 'ended_day') }} AS ended_date,
  {% for days in (7, 30) %}
  {% set aged = "CAST(tickets.created_date + INTERVAL '" ~ days ~ " days' AS DATE)" %}
  CASE
    WHEN
      ended_spans.ended_at IS NULL
      OR {{ sql.reporting_date('ended_spans.ended_at', 'ended_day') }} > {{ aged }}
      THEN GREATEST({{ aged }}, {{ sql.reporting_date('ended_spans.opened_at', 'opened_day') }})
  END AS aged_{{ days }}_date,
  {% endfor %}
  tickets.channel,
  -- Before any team holds a ticket it counts for the first one that will.
  COALESCE(teams.value, tickets.first_team_id) AS team_id,
  COALESCE(priorities.value, tickets.created_priority) AS priority,
  tickets.created_account_tier AS account_tier,
  tickets.is_deleted,
  tickets.is_merged,
  tickets.is_spam,
  tickets.is_bot_only
FROM ended_spans
INNER JOIN {{ rows('work.tickets') }} AS numbered_tickets ON ended_spans.ticket_number = numbered_tickets.ticket_number
INNER JOIN {{ rows('core.tickets') }} AS tickets ON numbered_tickets.ticket_id = tickets.ticket_id
LEFT JOIN {{ rows('work.event_values') }} AS teams ON NULLIF(ended_spans.team_number, 0) = teams.value_number
LEFT JOIN {{ rows('work.event_values') }} AS priorities
  ON NULLIF(ended_spans.priority_number, 0) = priorities.value_number
LEFT JOIN core.reporting_offsets AS opened_day ON CAST(ended_spans.opened_at AS DATE) = opened_day.utc_date
LEFT JOIN core.reporting_offsets AS ended_day ON CAST(ended_spans.ended_at AS DATE) = ended_day.utc_date
