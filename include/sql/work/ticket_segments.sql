-- Grain: one row per span of a ticket's life that one owner is booked for, in numbers.
-- Kept are spans that last, every change of status even where it lasts no time, and the mark that ends the life.
WITH states AS (
  SELECT *
  FROM {{ rows('work.ticket_states') }}
),

lasting_spans AS (
  SELECT
    spans.ticket_number,
    spans.mark_number,
    spans.marked_at,
    spans.business_position,
    COALESCE(spans.status_number, states.initial_status_number) AS status_number,
    {% if ledger.reads_source_status %}
    spans.source_number,
    {% endif %}
    COALESCE(spans.team_number, states.initial_team_number) AS team_number,
    COALESCE(spans.assignee_number, states.initial_assignee_number) AS assignee_number,
    COALESCE(spans.priority_number, states.initial_priority_number) AS priority_number,
    {% if ledger.reads_handoff %}
    states.handed_off_at,
    {% endif %}
    CASE
      WHEN spans.next_marked_at IS NULL AND spans.status_number IN ({{ end_numbers }}) THEN spans.marked_at
      ELSE spans.next_marked_at
    END AS next_marked_at,
    CASE
      WHEN spans.next_marked_at IS NULL AND spans.status_number IN ({{ end_numbers }}) THEN spans.business_position
      ELSE spans.next_business_position
    END AS next_business_position
  FROM {{ rows('work.ticket_spans') }} AS spans
  INNER JOIN states ON spans.ticket_number = states.ticket_number
  WHERE
    spans.next_marked_at IS NULL
    OR spans.next_marked_at > spans.marked_at
    OR (
      spans.kind = {{ kinds.status }}
      AND spans.value_number <> COALESCE(spans.status_number_before, states.initial_status_number)
    )
)

SELECT
  ticket_number,
  mark_number,
  marked_at AS started_at,
  next_marked_at AS ended_at,
  business_position AS business_seconds_before,
  {{ sql.seconds_between('marked_at', 'next_marked_at') }} AS calendar_seconds,
  next_business_position - business_position AS business_seconds,
  status_number,
  NULLIF(team_number, 0) AS team_number,
  NULLIF(assignee_number, 0) AS assignee_number,
  NULLIF(priority_number, 0) AS priority_number,
  CASE
    {% for rule in ledger.rules if not rule.is_unconditional %}
    WHEN {{ conditions.of_rule(rule, rows('work.event_values')) }} THEN '{{ rule.owner }}'
    {% endfor %}
    ELSE '{{ ledger.rules[-1].owner }}'
  END AS owner
FROM lasting_spans
