-- Grain: one row per mark of one ticket's ledger, with the event that it comes from and the rule that booked its span.
-- rule_segments is work.ticket_segments rendered with the numbers of the ledger's rules in place of their owners.
WITH told_marks AS (
  SELECT
    spans.mark_number,
    spans.kind,
    spans.marked_at,
    spans.value_number,
    COALESCE(
      LAG(spans.value_number) OVER (PARTITION BY spans.kind ORDER BY spans.mark_number),
      CASE spans.kind
        WHEN {{ kinds.status }} THEN states.initial_status_number
        WHEN {{ kinds.team }} THEN states.initial_team_number
        WHEN {{ kinds.assignee }} THEN states.initial_assignee_number
        WHEN {{ kinds.priority }} THEN states.initial_priority_number
      END
    ) AS value_number_before,
    spans.calendar_number
  FROM {{ rows('work.ticket_spans') }} AS spans
  INNER JOIN {{ rows('work.ticket_states') }} AS states ON spans.ticket_number = states.ticket_number
),

-- Two events that say the same at one instant are one thing that happened: the first of them is told.
ranked_marks AS (
  SELECT
    marks.*,
    marked_values.value,
    marked_values_before.value AS value_before,
    events.event_id,
    events.source_value,
    events.actor_kind,
    events.actor_id,
    events.is_automatic,
    ROW_NUMBER() OVER (
      PARTITION BY marks.mark_number ORDER BY events.sequence_number, events.event_id
    ) AS event_rank
  FROM told_marks AS marks
  CROSS JOIN {{ rows('work.tickets') }} AS tickets
  LEFT JOIN {{ rows('work.event_values') }} AS marked_values ON marks.value_number = marked_values.value_number
  LEFT JOIN {{ rows('work.event_values') }} AS marked_values_before
    ON marks.value_number_before = marked_values_before.value_number
  LEFT JOIN {{ rows('staging.ticket_events') }} AS events
    ON tickets.is_event_based
    AND events.event_type = CASE marks.kind
      WHEN {{ kinds.status }} THEN 'status'
      WHEN {{ kinds.team }} THEN 'team'
      WHEN {{ kinds.assignee }} THEN 'assignee'
      WHEN {{ kinds.priority }} THEN 'priority'
      WHEN {{ kinds.handoff }} THEN 'bot_handoff'
    END
    AND events.deleted_at IS NULL
    AND GREATEST(events.occurred_at, tickets.created_at) = marks.marked_at
    AND (events.value IS NOT DISTINCT FROM marked_values.value OR marks.kind = {{ kinds.handoff }})
)

SELECT
  marks.mark_number,
  CASE marks.kind
    WHEN {{ kinds.calendar }} THEN 'calendar'
    WHEN {{ kinds.status }} THEN 'status'
    WHEN {{ kinds.team }} THEN 'team'
    WHEN {{ kinds.assignee }} THEN 'assignee'
    WHEN {{ kinds.priority }} THEN 'priority'
    ELSE 'bot_handoff'
  END AS kind,
  marks.marked_at,
  CASE WHEN marks.kind = {{ kinds.calendar }} THEN calendars.calendar_id ELSE marks.value END AS value,
  marks.value_before,
  marks.source_value,
  marks.event_id,
  marks.actor_kind,
  marks.actor_id,
  marks.is_automatic,
  CAST(segments.owner AS INTEGER) AS rule_number
FROM ranked_marks AS marks
LEFT JOIN core.calendars AS calendars ON marks.calendar_number = calendars.calendar_number
LEFT JOIN {{ rows('rule_segments') }} AS segments ON marks.mark_number = segments.mark_number
WHERE marks.event_rank = 1
ORDER BY marks.mark_number
