-- Grain: one row per message of a ticket, and one for its opening.
-- Private notes, bots and automatic replies answer nothing. Who was an agent is what the event says, not what is today.
WITH messages AS (
  SELECT
    lines.ticket_number,
    CASE
      WHEN NOT COALESCE(events.is_public, TRUE) THEN {{ kinds.note }}
      WHEN events.actor_kind = 'customer' THEN {{ kinds.customer }}
      WHEN events.actor_kind = 'agent' AND NOT COALESCE(events.is_automatic, FALSE)
        THEN
          CASE
            WHEN tickets.opened_by = 'agent' AND events.occurred_at <= lines.created_at THEN {{ kinds.opening }}
            ELSE {{ kinds.reply }}
          END
      ELSE {{ kinds.automatic }}
    END AS kind,
    CASE WHEN events.occurred_at < lines.created_at THEN lines.created_at ELSE events.occurred_at END AS sent_at,
    COALESCE(events.sequence_number, 0) AS sequence_number,
    COALESCE(actors.value_number, 0) AS actor_number,
    lines.calendar_number,
    lines.line_offset
  FROM {{ rows('staging.ticket_events') }} AS events
  INNER JOIN {{ rows('work.ticket_lines') }} AS lines
    ON events.ticket_id = lines.ticket_id
    AND events.occurred_at < lines.valid_to
    AND (events.occurred_at >= lines.valid_from OR lines.is_first)
  INNER JOIN {{ rows('work.tickets') }} AS tickets ON lines.ticket_number = tickets.ticket_number
  -- Not an AND in the join: of a condition on one side alone DuckDB makes a loop over all pairs.
  LEFT JOIN {{ rows('work.event_values') }} AS actors
    ON CASE WHEN events.actor_kind = 'agent' THEN events.actor_id END = actors.value
  WHERE lines.is_event_based AND events.event_type = 'reply' AND events.deleted_at IS NULL
  UNION ALL
  -- Whoever opens a ticket waits from then on, whether the source keeps the opening as a message or not.
  SELECT
    lines.ticket_number,
    CASE WHEN tickets.opened_by = 'agent' THEN {{ kinds.outbound }} ELSE {{ kinds.opened }} END AS kind,
    lines.valid_from AS sent_at,
    CAST(-1 AS BIGINT) AS sequence_number,
    0 AS actor_number,
    lines.calendar_number,
    lines.line_offset
  FROM {{ rows('work.ticket_lines') }} AS lines
  INNER JOIN {{ rows('work.tickets') }} AS tickets ON lines.ticket_number = tickets.ticket_number
  WHERE lines.is_first
  UNION ALL
  SELECT
    lines.ticket_number,
    {{ kinds.reply }} AS kind,
    CASE
      WHEN tickets.stated_replied_at < tickets.created_at THEN tickets.created_at
      ELSE tickets.stated_replied_at
    END AS sent_at,
    CAST(0 AS BIGINT) AS sequence_number,
    0 AS actor_number,
    lines.calendar_number,
    lines.line_offset
  FROM {{ rows('work.tickets') }} AS tickets
  INNER JOIN {{ rows('work.ticket_lines') }} AS lines
    ON tickets.ticket_number = lines.ticket_number
    AND tickets.stated_replied_at < lines.valid_to
    AND (tickets.stated_replied_at >= lines.valid_from OR lines.is_first)
  WHERE NOT tickets.is_event_based AND tickets.stated_replied_at IS NOT NULL
)

SELECT *
FROM messages
