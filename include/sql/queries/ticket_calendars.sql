-- Grain: one row per span of time in which one ticket followed one calendar, with what made it follow that one.
-- reason_lines is work.ticket_lines rendered over assignments that are numbered below zero in place of their calendar.
SELECT
  followed.valid_from,
  CASE WHEN followed.valid_to < TIMESTAMP '2070-01-01 00:00:00' THEN followed.valid_to END AS valid_to,
  calendars.calendar_id,
  calendars.name,
  calendars.zone,
  CASE WHEN reasons.calendar_number > 0 THEN 'ticket' ELSE assignments.dimension END AS dimension,
  assignments.value,
  CASE WHEN assignments.valid_from > TIMESTAMP '1970-01-02 00:00:00' THEN assignments.valid_from END AS assigned_from
FROM core.ticket_calendars AS followed
INNER JOIN {{ rows('work.tickets') }} AS tickets ON followed.ticket_id = tickets.ticket_id
INNER JOIN core.calendars AS calendars ON followed.calendar_id = calendars.calendar_id
LEFT JOIN {{ rows('reason_lines') }} AS reasons ON followed.valid_from = reasons.valid_from
LEFT JOIN {{ rows('numbered_assignments') }} AS assignments
  ON reasons.calendar_number = assignments.calendar_number
ORDER BY followed.valid_from
