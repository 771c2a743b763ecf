-- Grain: one row per turn of a ticket: a side begins to wait for an agent's reply, and waits until it comes.
SELECT
  tickets.ticket_id,
  turns.turn_number,
  turns.started_at,
  turns.replied_at,
  {{ sql.seconds_between('turns.started_at', 'turns.replied_at') }} AS reply_calendar_seconds,
  turns.replied_position - turns.started_position AS reply_business_seconds
FROM {{ rows('work.ticket_turns') }} AS turns
INNER JOIN {{ rows('work.tickets') }} AS tickets ON turns.ticket_number = tickets.ticket_number
