-- Grain: one row per mark of a ticket's ledger, which lasts until the ticket's next mark; some last no time at all.
-- A mark is the creation or a change of status, team, assignee or priority. Values are numbers of work.event_values.
{% set mark_order = 'marked_at, sequence_number, value_number, kind, COALESCE(previous_number, -1)' %}
{% if ledger.reads_source_status %}
{% set mark_order = mark_order ~ ', COALESCE(source_number, -1)' %}
{% endif %}
WITH marks AS (
  SELECT
    ticket_number,
    {{ kinds.calendar }} AS kind,
    valid_from AS marked_at,
    CAST(-1 AS BIGINT) AS sequence_number,
    CAST(NULL AS INTEGER) AS value_number,
    CAST(NULL AS INTEGER) AS previous_number,
    {% if ledger.reads_source_status %}
    CAST(NULL AS INTEGER) AS source_number,
    {% endif %}
    calendar_number,
    line_offset
  FROM {{ rows('work.ticket_lines') }}
  -- Later calendars need no mark: positions are those of the ticket's own line, and one to come would end what is open.
  WHERE is_first
  UNION ALL
  SELECT
    lines.ticket_number,
    CASE events.event_type
      WHEN 'status' THEN {{ kinds.status }}
      WHEN 'team' THEN {{ kinds.team }}
      WHEN 'assignee' THEN {{ kinds.assignee }}
      WHEN 'priority' THEN {{ kinds.priority }}
      ELSE {{ kinds.handoff }}
    END AS kind,
    CASE WHEN events.occurred_at < lines.created_at THEN lines.created_at ELSE events.occurred_at END AS marked_at,
    {{ sql.sequence_since('events', 'lines.created_at') }} AS sequence_number,
    -- A value that is gone (nobody holds the ticket) is one too.
    COALESCE(known.value_number, 0) AS value_number,
    previous.value_number AS previous_number,
    {% if ledger.reads_source_status %}
    source_words.value_number AS source_number,
    {% endif %}
    lines.calendar_number,
    lines.line_offset
  FROM {{ rows('staging.ticket_events') }} AS events
  INNER JOIN {{ rows('work.ticket_lines') }} AS lines
    ON events.ticket_id = lines.ticket_id
    AND events.occurred_at < lines.valid_to
    AND (events.occurred_at >= lines.valid_from OR lines.is_first)
  LEFT JOIN {{ rows('work.event_values') }} AS known ON events.value = known.value
  LEFT JOIN {{ rows('work.event_values') }} AS previous ON events.previous_value = previous.value
  {% if ledger.reads_source_status %}
  LEFT JOIN {{ rows('work.event_values') }} AS source_words ON events.source_value = source_words.value
  {% endif %}
  WHERE
    lines.is_event_based
    AND events.event_type IN ('status', 'team', 'assignee', 'priority', 'bot_handoff')
    AND events.deleted_at IS NULL
  UNION ALL
  -- What a source says of a ticket without its events: solved, closed, and, with or without them, gone.
  SELECT
    stated.ticket_number,
    {{ kinds.status }} AS kind,
    stated.marked_at,
    CAST(9000000000 AS BIGINT) AS sequence_number,
    stated.value_number,
    CAST(NULL AS INTEGER) AS previous_number,
    {% if ledger.reads_source_status %}
    CAST(NULL AS INTEGER) AS source_number,
    {% endif %}
    lines.calendar_number,
    lines.line_offset
  FROM (
    SELECT
      ticket_number,
      CASE WHEN stated_solved_at < created_at THEN created_at ELSE stated_solved_at END AS marked_at,
      {{ word_numbers.solved }} AS value_number
    FROM {{ rows('work.tickets') }}
    WHERE NOT is_event_based AND status IN ('solved', 'closed') AND stated_solved_at IS NOT NULL
    UNION ALL
    SELECT
      ticket_number,
      CASE WHEN stated_closed_at < created_at THEN created_at ELSE stated_closed_at END AS marked_at,
      {{ word_numbers.closed }} AS value_number
    FROM {{ rows('work.tickets') }}
    WHERE NOT is_event_based AND status = 'closed' AND stated_closed_at IS NOT NULL
    UNION ALL
    SELECT
      ticket_number,
      CASE WHEN deleted_at < created_at THEN created_at ELSE deleted_at END AS marked_at,
      {{ word_numbers.deleted }} AS value_number
    FROM {{ rows('work.tickets') }}
    WHERE deleted_at IS NOT NULL
  ) AS stated
  INNER JOIN {{ rows('work.ticket_lines') }} AS lines
    ON stated.ticket_number = lines.ticket_number
    AND stated.marked_at >= lines.valid_from
    AND stated.marked_at < lines.valid_to
),

placed_marks AS (
  SELECT
    marks.*,
    marks.line_offset + {{ sql.business_position('marks.marked_at', 'days') }} AS business_position
  FROM marks
  LEFT JOIN core.calendar_days AS days
    ON marks.calendar_number = days.calendar_number AND CAST(marks.marked_at AS DATE) = days.utc_date
)

SELECT
  ticket_number,
  CAST(ROW_NUMBER() OVER in_order AS INTEGER) AS mark_number,
  kind,
  value_number,
  previous_number,
  marked_at,
  LEAD(marked_at) OVER in_order AS next_marked_at,
  business_position,
  LEAD(business_position) OVER in_order AS next_business_position,
  calendar_number,
  {{ sql.carried('CASE WHEN kind = ' ~ kinds.status ~ ' THEN value_number END', 'up_to_here') }} AS status_number,
  {{ sql.carried('CASE WHEN kind = ' ~ kinds.status ~ ' THEN value_number END', 'before_here') }}
    AS status_number_before,
  {% if ledger.reads_source_status %}
  {{ sql.carried('CASE WHEN kind = ' ~ kinds.status ~ ' THEN COALESCE(source_number, 0) END', 'up_to_here') }}
    AS source_number,
  {% endif %}
  {{ sql.carried('CASE WHEN kind = ' ~ kinds.team ~ ' THEN value_number END', 'up_to_here') }} AS team_number,
  {{ sql.carried('CASE WHEN kind = ' ~ kinds.assignee ~ ' THEN value_number END', 'up_to_here') }} AS assignee_number,
  {{ sql.carried('CASE WHEN kind = ' ~ kinds.priority ~ ' THEN value_number END', 'up_to_here') }} AS priority_number
FROM placed_marks
WINDOW
  in_order AS (
    PARTITION BY ticket_number
    ORDER BY {{ mark_order }}
  ),
  up_to_here AS (
    PARTITION BY ticket_number
    ORDER BY {{ mark_order }}
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ),
  before_here AS (
    PARTITION BY ticket_number
    ORDER BY {{ mark_order }}
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  )
