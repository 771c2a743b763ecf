-- Grain: one row: the end of the newest run, and how far one ticket's own business line has come by then.
SELECT
  run_ends.as_of,
  lines.line_offset + {{ sql.business_position('run_ends.as_of', 'days') }} AS business_position
FROM (
  SELECT MAX(as_of) AS as_of
  FROM ops.runs
) AS run_ends
LEFT JOIN core.ticket_calendars AS lines
  ON lines.ticket_id = :ticket_id
  AND run_ends.as_of >= lines.valid_from
  AND run_ends.as_of < lines.valid_to
LEFT JOIN core.calendars AS calendars ON lines.calendar_id = calendars.calendar_id
LEFT JOIN core.calendar_days AS days
  ON calendars.calendar_number = days.calendar_number AND CAST(run_ends.as_of AS DATE) = days.utc_date
