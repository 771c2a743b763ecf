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
    *,
    kind <> {{ kinds.reply }} AS is_start
  FROM ordered_messages
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
  sent_at AS started_at,
  business_position AS started_position,
  CASE WHEN kind_after = {{ kinds.reply }} THEN sent_after ELSE sent_second END AS replied_at,
  CASE WHEN kind_after = {{ kinds.reply }} THEN position_after ELSE position_second END AS replied_position
FROM answered_edges
WHERE is_start
