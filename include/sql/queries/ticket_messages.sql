-- Grain: one row per message of one ticket and one for its opening: what kind of message the ledger takes it for.
WITH ranked_messages AS (
  SELECT
    messages.kind,
    messages.sent_at,
    messages.sequence_number,
    events.event_id,
    events.actor_kind,
    events.actor_id,
    events.is_public,
    events.is_automatic,
    tickets.opened_by,
    ROW_NUMBER() OVER (
      PARTITION BY messages.kind, messages.sent_at, messages.sequence_number, events.event_id
    ) AS pair_rank
  FROM {{ rows('work.ticket_messages') }} AS messages
  CROSS JOIN {{ rows('work.tickets') }} AS tickets
  LEFT JOIN {{ rows('work.event_values') }} AS actors ON messages.actor_number = actors.value_number
  LEFT JOIN {{ rows('staging.ticket_events') }} AS events
    ON tickets.is_event_based
    AND events.event_type = 'reply'
    AND events.deleted_at IS NULL
    AND GREATEST(events.occurred_at, tickets.created_at) = messages.sent_at
    AND COALESCE(events.sequence_number, 0) = messages.sequence_number
    AND (events.is_public IS NOT DISTINCT FROM FALSE) = (messages.kind = {{ kinds.note }})
    AND (CASE WHEN events.actor_kind = 'agent' THEN events.actor_id END) IS NOT DISTINCT FROM actors.value
)

SELECT
  CASE kind
    WHEN {{ kinds.outbound }} THEN 'outbound'
    WHEN {{ kinds.opened }} THEN 'opened'
    WHEN {{ kinds.customer }} THEN 'customer'
    WHEN {{ kinds.opening }} THEN 'opening'
    WHEN {{ kinds.reply }} THEN 'reply'
    WHEN {{ kinds.note }} THEN 'note'
    ELSE 'automatic'
  END AS kind,
  sent_at,
  event_id,
  COALESCE(actor_kind, CASE WHEN kind IN ({{ kinds.outbound }}, {{ kinds.opened }}) THEN opened_by END) AS actor_kind,
  actor_id,
  is_automatic
FROM ranked_messages
WHERE pair_rank = 1
ORDER BY sent_at, sequence_number, ranked_messages.kind, event_id
