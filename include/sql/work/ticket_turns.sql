-- Grain: one row per turn of a ticket: a side begins to wait for an agent's reply, and waits until it comes.
-- Several customer messages in a row are one turn, from the first on (METHODS.md 1.1). A ticket that an agent opened
-- waits for the next public reply from its creation on: that turn has the number 0.
WITH ordered_messages AS (
  SELECT
    *,
    LAG(kind) OVER (PARTITION BY ticket_number ORDER BY sent_at, sequence_number, kind, actor_number) AS kind_before
  FROM {{ rows('work.ticket_messages') }}
  WHERE kind IN ({{ kinds.outbound }}, {{ kinds.opened }}, {{ kinds.customer }}, {{ kinds.reply }})
),

-- What is left alternates: a turn begins, a reply ends it; only an outbound opening is followed by another beginning.
edges AS (
  SELECT
    messages.*,
    messages.kind <> {{ kinds.reply }} AS is_start,
    messages.line_offset + {{ sql.business_position('messages.sent_at', 'days') }} AS business_position
  FROM ordered_messages AS messages
  LEFT JOIN core.calendar_days AS days
    ON messages.calendar_number = days.calendar_number AND CAST(messages.sent_at AS DATE) = days.utc_date
  WHERE
    (kind = {{ kinds.reply }} AND kind_before <> {{ kinds.reply }})
    OR kind IN ({{ kinds.outbound }}, {{ kinds.opened }})
    OR (kind = {{ kinds.customer }} AND kind_before IN ({{ kinds.outbound }}, {{ kinds.reply }}))
),

answered_edges AS (
  SELECT
    *,
    LEAD(kind) OVER in_order AS kind_after,
    LEAD(sent_at) OVER in_order AS sent_after,
    LEAD(business_position) OVER in_order AS position_after,
    LEAD(sent_at, 2) OVER in_order AS sent_second,
    LEAD(business_position, 2) OVER in_order AS position_second,
    COUNT(CASE WHEN kind IN ({{ kinds.opened }}, {{ kinds.customer }}) THEN 1 END) OVER (
      PARTITION BY ticket_number
      ORDER BY sent_at, sequence_number, kind, actor_number
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS turn_number
  FROM edges
  WINDOW in_order AS (PARTITION BY ticket_number ORDER BY sent_at, sequence_number, kind, actor_number)
)

SELECT
  ticket_number,
  CAST(turn_number AS INTEGER) AS turn_number,
  kind IN ({{ kinds.outbound }}, {{ kinds.opened }}) AS is_opening,
  sent_at AS started_at,
  business_position AS started_position,
  CASE WHEN kind_after = {{ kinds.reply }} THEN sent_after ELSE sent_second END AS replied_at,
  CASE WHEN kind_after = {{ kinds.reply }} THEN position_after ELSE position_second END AS replied_position
FROM answered_edges
WHERE is_start
