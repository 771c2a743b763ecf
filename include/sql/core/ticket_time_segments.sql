-- Grain: one row per span of a ticket's life that one owner is booked for, from its creation to its end.
SELECT
  tickets.ticket_id,
  segments.mark_number AS segment_number,
  segments.started_at,
  segments.ended_at,
  segments.owner,
  statuses.value AS status,
  teams.value AS team_id,
  assignees.value AS assignee_id,
  segments.calendar_seconds,
  segments.business_seconds,
  {{ sql.seconds_between('tickets.created_at', 'segments.started_at') }} AS calendar_seconds_before,
  segments.business_seconds_before
FROM {{ rows('work.ticket_segments') }} AS segments
INNER JOIN {{ rows('work.tickets') }} AS tickets ON segments.ticket_number = tickets.ticket_number
LEFT JOIN {{ rows('work.event_values') }} AS statuses ON segments.status_number = statuses.value_number
LEFT JOIN {{ rows('work.event_values') }} AS teams ON segments.team_number = teams.value_number
LEFT JOIN {{ rows('work.event_values') }} AS assignees ON segments.assignee_number = assignees.value_number
