-- Grain: one row per time that a ticket is given to a team or an agent, of tickets that had one before or have another.
WITH given AS (
  SELECT
    spans.ticket_number,
    spans.kind,
    spans.mark_number,
    spans.marked_at,
    spans.business_position,
    spans.value_number,
    LAG(spans.value_number) OVER by_kind AS value_number_before,
    LAG(spans.marked_at) OVER by_kind AS marked_at_before,
    LAG(spans.business_position) OVER by_kind AS business_position_before,
    ROW_NUMBER() OVER by_kind AS kind_rank,
    ROW_NUMBER() OVER (
      PARTITION BY spans.ticket_number, spans.kind, spans.value_number ORDER BY spans.mark_number
    ) AS value_rank
  FROM {{ rows('work.ticket_spans') }} AS spans
  INNER JOIN {{ rows('work.ticket_states') }} AS states ON spans.ticket_number = states.ticket_number
  WHERE
    (
      spans.kind = {{ kinds.team }}
      AND (states.team_station_count > 1 OR COALESCE(states.initial_team_number, 0) > 0)
    )
    OR (
      spans.kind = {{ kinds.assignee }}
      AND (states.assignee_station_count > 1 OR COALESCE(states.initial_assignee_number, 0) > 0)
    )
  WINDOW by_kind AS (PARTITION BY spans.ticket_number, spans.kind ORDER BY spans.mark_number)
)

SELECT
  given.ticket_number,
  given.kind,
  given.mark_number,
  given.marked_at,
  given.business_position,
  NULLIF(given.value_number, 0) AS value_number,
  CASE
    WHEN given.kind_rank > 1 THEN NULLIF(given.value_number_before, 0)
    WHEN given.kind = {{ kinds.team }} THEN NULLIF(states.initial_team_number, 0)
    ELSE NULLIF(states.initial_assignee_number, 0)
  END AS value_number_before,
  given.value_rank > 1 AND given.value_number <> given.value_number_before AS is_return,
  COALESCE(given.marked_at_before, tickets.created_at) AS held_since,
  COALESCE(given.business_position_before, 0) AS held_since_position
FROM given
INNER JOIN {{ rows('work.ticket_states') }} AS states ON given.ticket_number = states.ticket_number
INNER JOIN {{ rows('work.tickets') }} AS tickets ON given.ticket_number = tickets.ticket_number
