-- Grain: one row per ticket: what its marks come to.
-- The first mark of a kind is found by one aggregate: mark number, value and the value before packed into one number.
WITH marked_spans AS (
  SELECT
    *,
    kind = {{ kinds.status }}
    AND value_number IN ({{ closed_numbers }})
    AND COALESCE(status_number_before, previous_number, {{ word_numbers.new }}) NOT IN ({{ closed_numbers }})
      AS is_solving,
    kind = {{ kinds.status }}
    AND value_number NOT IN ({{ closed_numbers }}, {{ word_numbers.deleted }})
    AND COALESCE(status_number_before, previous_number, {{ word_numbers.new }}) IN ({{ closed_numbers }})
      AS is_reopening,
    {{ sql.packed('mark_number', 'value_number', 'COALESCE(previous_number, -1)') }} AS packed_values
  FROM {{ rows('work.ticket_spans') }}
),

packed_states AS (
  SELECT
    ticket_number,
    MIN(CASE WHEN is_solving THEN marked_at END) AS first_solved_at,
    MIN(CASE WHEN is_solving THEN business_position END) AS first_solved_position,
    MAX(CASE WHEN is_solving THEN marked_at END) AS last_solved_at,
    MAX(CASE WHEN is_solving THEN business_position END) AS last_solved_position,
    COUNT(CASE WHEN kind = {{ kinds.status }} AND value_number = {{ word_numbers.solved }} THEN 1 END) > 0
      AS was_solved,
    MAX(CASE WHEN kind = {{ kinds.status }} AND value_number = {{ word_numbers.closed }} THEN marked_at END)
      AS closed_at,
    {% if ledger.reads_handoff %}
    MIN(CASE WHEN kind = {{ kinds.handoff }} THEN marked_at END) AS handed_off_at,
    {% endif %}
    CAST(COUNT(CASE WHEN is_solving THEN 1 END) AS INTEGER) AS solution_count,
    CAST(COUNT(CASE WHEN is_reopening THEN 1 END) AS INTEGER) AS reopen_count,
    CAST(COUNT(CASE WHEN kind = {{ kinds.assignee }} AND value_number > 0 THEN 1 END) AS INTEGER)
      AS assignee_station_count,
    CAST(COUNT(CASE WHEN kind = {{ kinds.team }} AND value_number > 0 THEN 1 END) AS INTEGER) AS team_station_count,
    {% for name in ('status', 'team', 'assignee', 'priority') %}
    MIN(CASE WHEN kind = {{ kinds[name] }} THEN packed_values END) AS first_{{ name }},
    MAX(CASE WHEN next_marked_at IS NULL THEN {{ name }}_number END) AS last_{{ name }}_number,
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
  states.was_solved,
  states.closed_at,
  {% if ledger.reads_handoff %}
  states.handed_off_at,
  {% endif %}
  states.solution_count,
  states.reopen_count,
  states.assignee_station_count,
  states.team_station_count,
  states.last_status_number,
  CASE
    WHEN NOT tickets.is_event_based THEN {{ word_numbers.open }}
    ELSE COALESCE(NULLIF({{ sql.unpacked('states.first_status', 'second') }}, -1), {{ word_numbers.new }})
  END AS initial_status_number,
  {% for name in ('team', 'assignee', 'priority') %}
  states.last_{{ name }}_number,
  {{ sql.unpacked('states.first_' ~ name, 'first') }} AS first_{{ name }}_number,
  CASE
    WHEN states.first_{{ name }} IS NULL THEN stated_{{ name }}.value_number
    ELSE NULLIF({{ sql.unpacked('states.first_' ~ name, 'second') }}, -1)
  END AS initial_{{ name }}_number,
  {% endfor %}
  NULLIF({{ sql.unpacked('states.solving_team', 'first') }}, -1) AS solving_team_number,
  NULLIF({{ sql.unpacked('states.solving_priority', 'first') }}, -1) AS solving_priority_number
FROM packed_states AS states
INNER JOIN {{ rows('work.tickets') }} AS tickets ON states.ticket_number = tickets.ticket_number
LEFT JOIN {{ rows('work.event_values') }} AS stated_team ON tickets.team_id = stated_team.value
LEFT JOIN {{ rows('work.event_values') }} AS stated_assignee ON tickets.assignee_id = stated_assignee.value
LEFT JOIN {{ rows('work.event_values') }} AS stated_priority ON tickets.priority = stated_priority.value
