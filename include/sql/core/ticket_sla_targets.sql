-- Grain: one row per ticket, metric and turn for which a target was in force when its clock stopped, or is now.
-- Breach is elapsed time beyond the target, never a clock on the wall against a date (METHODS.md 1.2). Nothing stored
-- grows with time: of a clock that runs only what lies behind its newest mark is counted. What it has come to as of the
-- run is in core.ticket_sla_states.
{% if not sla.is_in_use %}
-- No policy is declared and no source sets targets: no row, and nothing is read.
SELECT
{% for name, column in sla.columns.items() %}
  {{ sql.cast('NULL', column) }} AS {{ name }}{{ ',' if not loop.last }}
{% endfor %}
WHERE FALSE
{% else %}
WITH measured AS (
  SELECT
    clocks.*,
    COALESCE(crossings.elapsed_seconds, clocks.elapsed_seconds, 0) AS counted_seconds,
    crossings.due_position AS crossed_due_position,
    crossings.late_position AS crossed_late_position,
    CASE
      WHEN NOT clocks.is_running THEN NULL
      WHEN clocks.is_unpaused OR clocks.started_at > clocks.current_owner_since THEN clocks.started_at
      ELSE clocks.current_owner_since
    END AS running_since
  FROM {{ rows('work.ticket_sla_clocks') }} AS clocks
  LEFT JOIN {{ rows('work.ticket_sla_crossings') }} AS crossings
    ON clocks.ticket_number = crossings.ticket_number
    AND clocks.metric_number = crossings.metric_number
    AND clocks.turn_number = crossings.turn_number
),

running AS (
  SELECT
    measured.*,
    CASE
      WHEN running_since IS NULL THEN NULL
      WHEN running_since = started_at THEN started_position
      {% if sla.has_named_calendars %}
      WHEN named_number IS NOT NULL THEN {{ sql.business_position('measured.running_since', 'days') }}
      {% endif %}
      ELSE current_position
    END AS running_position
  FROM measured
  {% if sla.has_named_calendars %}
  LEFT JOIN core.calendar_days AS days
    ON measured.named_number = days.calendar_number AND CAST(measured.running_since AS DATE) = days.utc_date
  {% endif %}
),

-- A clock that was kept would have been due so much later as it had left.
due AS (
  SELECT
    running.*,
    CASE
      WHEN crossed_due_position IS NOT NULL THEN crossed_due_position
      WHEN is_unpaused THEN started_position + target_seconds
      WHEN counted_seconds <= target_seconds
        THEN COALESCE(ended_position, running_position) + target_seconds - counted_seconds
    END AS due_position,
    CASE
      WHEN crossed_late_position IS NOT NULL THEN crossed_late_position
      WHEN is_unpaused AND (ended_at IS NULL OR counted_seconds > target_seconds) THEN started_position + target_seconds
      WHEN is_running THEN running_position + target_seconds - counted_seconds
    END AS late_position
  FROM running
),

-- Positions on a ticket's business line belong to the calendar that it followed there.
lined AS (
  SELECT
    *,
    CASE WHEN is_business_time AND named_number IS NULL THEN due_position END AS due_line_position,
    CASE WHEN is_business_time AND named_number IS NULL THEN late_position END AS late_line_position
  FROM due
),

placed AS (
  SELECT
    due.*,
    COALESCE(due.named_number, due_lines.calendar_number) AS due_calendar_number,
    due.due_position - COALESCE(due_lines.line_offset, 0) AS due_calendar_position,
    COALESCE(due.named_number, late_lines.calendar_number) AS late_calendar_number,
    due.late_position - COALESCE(late_lines.line_offset, 0) AS late_calendar_position
  FROM lined AS due
  LEFT JOIN {{ rows('work.ticket_lines') }} AS due_lines
    ON due.ticket_number = due_lines.ticket_number
    AND due.due_line_position > due_lines.business_seconds_before
    AND due.due_line_position <= due_lines.business_seconds_until
  LEFT JOIN {{ rows('work.ticket_lines') }} AS late_lines
    ON due.ticket_number = late_lines.ticket_number
    AND due.late_line_position >= late_lines.business_seconds_before
    AND due.late_line_position < late_lines.business_seconds_until
),

dated AS (
  SELECT
    placed.*,
    CASE
      WHEN placed.is_business_time THEN {{ sql.opening_instant('due_opening', 'placed.due_calendar_position') }}
      ELSE {{ sql.add_seconds('placed.created_at', 'placed.due_position') }}
    END AS due_at,
    CASE
      WHEN placed.is_business_time THEN {{ sql.opening_instant('late_opening', 'placed.late_calendar_position') }}
      ELSE {{ sql.add_seconds('placed.created_at', 'placed.late_position') }}
    END AS late_at
  FROM placed
  {{ sql.opening_join('due_opening', 'placed.due_calendar_number', 'placed.due_calendar_position', 'earliest') }}
  {{ sql.opening_join('late_opening', 'placed.late_calendar_number', 'placed.late_calendar_position', 'latest') }}
)

SELECT
  tickets.ticket_id,
  CASE clocks.metric_number
    {% for metric, number in sla.metrics.items() %}
    WHEN {{ number }} THEN '{{ metric }}'
    {% endfor %}
  END AS metric,
  clocks.turn_number,
  {% if sla.asks %}
  COALESCE(asks.policy_id, 'source:' || COALESCE(clocks.source_policy, '')) AS policy_id,
  asks.policy_version,
  {% else %}
  'source:' || COALESCE(clocks.source_policy, '') AS policy_id,
  CAST(NULL AS DATE) AS policy_version,
  {% endif %}
  clocks.applied_at,
  clocks.applied_by,
  clocks.target_seconds,
  clocks.is_business_time,
  {% if sla.has_named_calendars %}
  NULLIF(asks.calendar_id, '') AS calendar_id,
  {% else %}
  CAST(NULL AS VARCHAR) AS calendar_id,
  {% endif %}
  clocks.started_at,
  clocks.ended_at,
  {{ sql.reporting_date('clocks.ended_at', 'ended_day') }} AS ended_date,
  clocks.ended_by,
  clocks.counted_seconds AS elapsed_seconds,
  clocks.running_since,
  clocks.running_position,
  clocks.due_at,
  CASE WHEN clocks.counted_seconds > clocks.target_seconds THEN clocks.late_at END AS breached_at,
  CASE WHEN clocks.counted_seconds <= clocks.target_seconds THEN clocks.late_at END AS late_at,
  CASE
    WHEN clocks.ended_at IS NULL OR clocks.counted_seconds > clocks.target_seconds
      THEN {{ sql.reporting_date('clocks.late_at', 'late_day') }}
  END AS late_date,
  CASE
    WHEN clocks.ended_at IS NOT NULL AND clocks.counted_seconds > clocks.target_seconds THEN 'breached'
    WHEN clocks.ended_at IS NOT NULL THEN 'met'
    WHEN clocks.is_running THEN 'running'
    ELSE 'paused'
  END AS state,
  core_tickets.channel,
  COALESCE(teams.value, 'unassigned') AS team_id,
  COALESCE(priorities.value, 'unknown') AS priority,
  core_tickets.created_account_tier AS account_tier,
  core_tickets.created_account_owner AS account_owner,
  core_tickets.is_deleted,
  core_tickets.is_merged,
  core_tickets.is_spam,
  core_tickets.is_bot_only
FROM dated AS clocks
INNER JOIN {{ rows('work.tickets') }} AS tickets ON clocks.ticket_number = tickets.ticket_number
INNER JOIN {{ rows('core.tickets') }} AS core_tickets ON tickets.ticket_id = core_tickets.ticket_id
{% if sla.asks %}
LEFT JOIN {{ rows('work.sla_asks') }} AS asks ON clocks.ask_number = asks.ask_number
{% endif %}
LEFT JOIN {{ rows('work.event_values') }} AS teams ON clocks.team_number = teams.value_number
LEFT JOIN {{ rows('work.event_values') }} AS priorities ON clocks.priority_number = priorities.value_number
LEFT JOIN core.reporting_offsets AS ended_day ON CAST(clocks.ended_at AS DATE) = ended_day.utc_date
LEFT JOIN core.reporting_offsets AS late_day ON CAST(clocks.late_at AS DATE) = late_day.utc_date
{% endif %}
