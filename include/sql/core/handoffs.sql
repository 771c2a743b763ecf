-- Grain: one row per time that a ticket went from one team to another.
SELECT
  tickets.ticket_id,
  moves.mark_number AS handoff_number,
  moves.marked_at AS handed_off_at,
  {{ sql.reporting_date('moves.marked_at', 'handoff_day') }} AS handed_off_date,
  from_teams.value AS from_team_id,
  to_teams.value AS to_team_id,
  moves.is_return,
  {{ sql.seconds_between('moves.held_since', 'moves.marked_at') }} AS held_before_calendar_seconds,
  moves.business_position - moves.held_since_position AS held_before_business_seconds,
  {{ sql.seconds_between('moves.marked_at', 'replies.sent_at') }} AS reply_after_calendar_seconds,
  replies.business_position - moves.business_position AS reply_after_business_seconds
FROM {{ rows('work.ticket_moves') }} AS moves
INNER JOIN {{ rows('work.tickets') }} AS tickets ON moves.ticket_number = tickets.ticket_number
LEFT JOIN (
  SELECT
    later_moves.ticket_number,
    later_moves.mark_number,
    MIN(turns.replied_at) AS sent_at,
    MIN(turns.replied_position) AS business_position
  FROM {{ rows('work.ticket_moves') }} AS later_moves
  INNER JOIN {{ rows('work.ticket_turns') }} AS turns
    ON later_moves.ticket_number = turns.ticket_number AND later_moves.marked_at <= turns.replied_at
  WHERE
    later_moves.kind = {{ kinds.team }}
    AND later_moves.value_number <> later_moves.value_number_before
  GROUP BY later_moves.ticket_number, later_moves.mark_number
) AS replies ON moves.ticket_number = replies.ticket_number AND moves.mark_number = replies.mark_number
LEFT JOIN {{ rows('work.event_values') }} AS from_teams ON moves.value_number_before = from_teams.value_number
LEFT JOIN {{ rows('work.event_values') }} AS to_teams ON moves.value_number = to_teams.value_number
LEFT JOIN core.reporting_offsets AS handoff_day ON CAST(moves.marked_at AS DATE) = handoff_day.utc_date
WHERE
  moves.kind = {{ kinds.team }}
  AND moves.value_number <> moves.value_number_before
