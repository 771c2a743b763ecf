-- Grain: one row per ticket and span of time in which it followed one calendar.
SELECT
  lines.ticket_id,
  lines.valid_from,
  lines.valid_to,
  calendars.calendar_id,
  lines.business_seconds_before,
  lines.line_offset
FROM {{ rows('work.ticket_lines') }} AS lines
INNER JOIN core.calendars AS calendars ON lines.calendar_number = calendars.calendar_number
