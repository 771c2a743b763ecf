-- Grain: one row per clock of core.ticket_sla_targets, as of the newest run: with the time that runs just now.
{% if not sla.is_in_use %}
SELECT
  targets.*,
  CAST(NULL AS TIMESTAMP) AS as_of,
  FALSE AS is_breached,
  targets.target_seconds AS remaining_seconds
FROM core.ticket_sla_targets AS targets
{% else %}
WITH run_ends AS (
  SELECT MAX(as_of) AS as_of
  FROM ops.runs
),

running_clocks AS (
  SELECT
    targets.ticket_id,
    targets.metric,
    targets.turn_number,
    CASE
      {% if sla.has_named_calendars %}
      WHEN targets.calendar_id IS NOT NULL
        THEN {{ sql.business_position('run_ends.as_of', 'named_days') }} - targets.running_position
      {% endif %}
      WHEN targets.is_business_time
        THEN lines.line_offset + {{ sql.business_position('run_ends.as_of', 'days') }} - targets.running_position
      ELSE {{ sql.seconds_between('targets.running_since', 'run_ends.as_of') }}
    END AS running_seconds
  -- No CROSS JOIN before another join: DuckDB keeps a view's text with a comma in its place, which binds less tightly.
  FROM run_ends
  INNER JOIN core.ticket_sla_targets AS targets ON run_ends.as_of > targets.running_since
  INNER JOIN core.ticket_calendars AS lines
    ON targets.ticket_id = lines.ticket_id
    AND run_ends.as_of >= lines.valid_from
    AND run_ends.as_of < lines.valid_to
  LEFT JOIN core.calendars AS calendars ON lines.calendar_id = calendars.calendar_id
  LEFT JOIN core.calendar_days AS days
    ON calendars.calendar_number = days.calendar_number AND CAST(run_ends.as_of AS DATE) = days.utc_date
  {% if sla.has_named_calendars %}
  LEFT JOIN core.calendars AS named_calendars ON targets.calendar_id = named_calendars.calendar_id
  LEFT JOIN core.calendar_days AS named_days
    ON named_calendars.calendar_number = named_days.calendar_number
    AND CAST(run_ends.as_of AS DATE) = named_days.utc_date
  {% endif %}
),

elapsed AS (
  SELECT
    targets.*,
    run_ends.as_of,
    targets.elapsed_seconds + COALESCE(clocks.running_seconds, 0) AS elapsed_so_far
  FROM core.ticket_sla_targets AS targets
  LEFT JOIN running_clocks AS clocks
    ON targets.ticket_id = clocks.ticket_id
    AND targets.metric = clocks.metric
    AND targets.turn_number = clocks.turn_number
  CROSS JOIN run_ends
)

SELECT
  {% for name in sla.columns if name not in ('elapsed_seconds', 'breached_at', 'state') %}
  {{ name }},
  {% endfor %}
  elapsed_so_far AS elapsed_seconds,
  CASE WHEN elapsed_so_far > target_seconds THEN COALESCE(breached_at, late_at) END AS breached_at,
  CASE WHEN ended_at IS NULL AND elapsed_so_far > target_seconds THEN 'running_late' ELSE state END AS state,
  as_of,
  elapsed_so_far > target_seconds AS is_breached,
  target_seconds - elapsed_so_far AS remaining_seconds
FROM elapsed
{% endif %}
