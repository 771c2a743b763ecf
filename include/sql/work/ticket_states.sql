-- Grain: one row per ticket: what its marks come to.
-- The value of the first or last mark of a kind is found by one aggregate: mark number and value packed into one number.
WITH ranked_spans AS (
  SELECT
    *,
    COALESCE(status_number_before, {{ word_numbers.new }}) AS status_before,
    {{ sql.packed('mark_number', 'value_number') }} AS packed_value,
    {{ sql.packed('mark_number', 'COALESCE(previous_number, -1)') }} AS packed_previous
  FROM {{ rows('work.ticket_spans') }}
),

marked_spans AS (
  SELECT
    *,
    kind = {{ kinds.status }}
    AND value_number IN ({{ closed_numbers }})
    AND status_before NOT IN ({{ closed_numbers }}) AS is_solving,
    kind = {{ kinds.status }}
    AND value_number NOT IN ({{ closed_numbers }}, {{ word_numbers.deleted }})
    AND status_before IN ({{ closed_numbers }}) AS is_reopening
  FROM ranked_spans
),

packed_states AS (
  SELECT
    ticket_number,
    MIN(CASE WHEN is_solving THEN marked_at END) AS first_solved_at,
    MIN(CASE WHEN is_solving THEN business_position END) AS first_solved_position,
    MAX(CASE WHEN is_solving THEN marked_at END) AS last_solved_at,
    MAX(CASE WHEN is_solving THEN business_position END) AS last_solved_position,
    MAX(CASE WHEN kind = {{ kinds.status }} AND value_number = {{ word_numbers.solved }} THEN marked_at END)
    AS last_solved_status_at,
    MAX(CASE WHEN kind = {{ kinds.status }} AND value_number = {{ word_numbers.closed }} THEN marked_at END)
    AS closed_at,
    MIN(CASE WHEN kind = {{ kinds.handoff }} THEN marked_at END) AS handed_off_at,
    CAST(COUNT(CASE WHEN is_solving THEN 1 END) AS INTEGER) AS solution_count,
    CAST(COUNT(CASE WHEN is_reopening THEN 1 END) AS INTEGER) AS reopen_count,
    CAST(COUNT(CASE WHEN kind = {{ kinds.assignee }} AND value_number > 0 THEN 1 END) AS INTEGER)
    AS assignee_station_count,
    CAST(COUNT(CASE WHEN kind = {{ kinds.team }} AND value_number > 0 THEN 1 END) AS INTEGER) AS team_station_count,
    MAX(CASE WHEN kind = {{ kinds.status }} THEN packed_value END) AS last_status,
    MIN(CASE WHEN kind = {{ kinds.status }} THEN packed_previous END) AS before_first_status,
    {% for name in ('team', 'assignee', 'priority') %}
    MIN(CASE WHEN kind = {{ kinds[name] }} THEN packed_value END) AS first_{{ name }},
    MIN(CASE WHEN kind = {{ kinds[name] }} THEN packed_previous END) AS before_first_{{ name }},
    MAX(CASE WHEN kind = {{ kinds[name] }} THEN packed_value END) AS last_{{ name }},
    {% endfor %}
    MAX(CASE WHEN is_solving THEN {{ sql.packed('mark_number', 'COALESCE(team_number, -1)') }} END) AS solving_team,
    MAX(CASE WHEN is_solving THEN {{ sql.packed('mark_number', 'COALESCE(priority_number, -1)') }} END)
    AS solving_priority
  FROM marked_spans
  GROUP BY ticket_number
)

-- A number of -1 says that a mark told nothing; a kind without any mark is as the source states it all along.
SELECT
  states.ticket_number,
  states.first_solved_at,
  states.first_solved_position,
  states.last_solved_at,
  states.last_solved_position,
  states.last_solved_status_at,
  states.closed_at,
  states.handed_off_at,
  states.solution_count,
  states.reopen_count,
  states.assignee_station_count,
  states.team_station_count,
  {{ sql.unpacked('states.last_status') }} AS last_status_number,
  CASE
    WHEN NOT tickets.is_event_based THEN {{ word_numbers.open }}
    ELSE COALESCE(NULLIF({{ sql.unpacked('states.before_first_status') }}, -1), {{ word_numbers.new }})
  END AS initial_status_number,
  {% for name in ('team', 'assignee', 'priority') %}
  {{ sql.unpacked('states.first_' ~ name) }} AS first_{{ name }}_number,
  {{ sql.unpacked('states.last_' ~ name) }} AS last_{{ name }}_number,
  CASE
    WHEN states.first_{{ name }} IS NULL THEN stated_{{ name }}.value_number
    ELSE NULLIF({{ sql.unpacked('states.before_first_' ~ name) }}, -1)
  END AS initial_{{ name }}_number,
  {% endfor %}
  NULLIF({{ sql.unpacked('states.solving_team') }}, -1) AS solving_team_number,
  NULLIF({{ sql.unpacked('states.solving_priority') }}, -1) AS solving_priority_number
FROM packed_states AS states
INNER JOIN {{ rows('work.tickets') }} AS tickets ON states.ticket_number = tickets.ticket_number
LEFT JOIN {{ rows('work.event_values') }} AS stated_team ON tickets.team_id = stated_team.value
LEFT JOIN {{ rows('work.event_values') }} AS stated_assignee ON tickets.assignee_id = stated_assignee.value
LEFT JOIN {{ rows('work.event_values') }} AS stated_priority ON tickets.priority = stated_priority.value
