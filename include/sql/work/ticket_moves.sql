-- Grain: one row per time that a ticket came to another team or agent than before, or to none.
WITH given AS (
  SELECT
    spans.ticket_number,
    spans.kind,
    spans.mark_number,
    spans.marked_at,
    spans.business_position,
    spans.value_number,
    CASE
      WHEN spans.kind = {{ kinds.team }} THEN COALESCE(states.initial_team_number, 0)
      ELSE COALESCE(states.initial_assignee_number, 0)
    END AS initial_number,
    LAG(spans.value_number) OVER by_kind AS value_number_before
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
),

-- Given once more to whom it was with is no move.
moves AS (
  SELECT
    *,
    COALESCE(value_number_before, initial_number) AS number_before,
    LAG(marked_at) OVER by_kind AS moved_at_before,
    LAG(business_position) OVER by_kind AS business_position_before,
    ROW_NUMBER() OVER (PARTITION BY ticket_number, kind, value_number ORDER BY mark_number) AS value_rank
  FROM given
  WHERE value_number <> COALESCE(value_number_before, initial_number)
  WINDOW by_kind AS (PARTITION BY ticket_number, kind ORDER BY mark_number)
)

SELECT
  moves.ticket_number,
  moves.kind,
  moves.mark_number,
  moves.marked_at,
  moves.business_position,
  NULLIF(moves.value_number, 0) AS value_number,
  NULLIF(moves.number_before, 0) AS value_number_before,
  moves.value_number > 0
  AND moves.number_before > 0
  AND (moves.value_rank > 1 OR moves.value_number = moves.initial_number) AS is_return,
  COALESCE(moves.moved_at_before, tickets.created_at) AS held_since,
  COALESCE(moves.business_position_before, 0) AS held_since_position
FROM moves
INNER JOIN {{ rows('work.tickets') }} AS tickets ON moves.ticket_number = tickets.ticket_number
