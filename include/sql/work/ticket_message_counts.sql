-- Grain: one row per ticket: how many messages of each kind it has.
SELECT
  ticket_number,
  CAST(COUNT(CASE WHEN kind = {{ kinds.reply }} THEN 1 END) AS INTEGER) AS agent_reply_count,
  CAST(COUNT(CASE WHEN kind IN ({{ kinds.reply }}, {{ kinds.opening }}) THEN 1 END) AS INTEGER) AS agent_comment_count,
  CAST(COUNT(CASE WHEN kind = {{ kinds.note }} THEN 1 END) AS INTEGER) AS internal_note_count,
  CAST(COUNT(CASE WHEN kind = {{ kinds.customer }} THEN 1 END) AS INTEGER) AS customer_message_count,
  CAST(
    COUNT(DISTINCT CASE WHEN kind IN ({{ kinds.reply }}, {{ kinds.opening }}) THEN actor_number END) AS INTEGER
  ) AS replying_agent_count,
  CAST(
    COUNT(
      DISTINCT CASE
        WHEN kind IN ({{ kinds.reply }}, {{ kinds.opening }}) THEN actor_number
        WHEN kind = {{ kinds.note }} AND actor_number > 0 THEN actor_number
      END
    ) AS INTEGER
  ) AS commenting_agent_count
FROM {{ rows('work.ticket_messages') }}
GROUP BY ticket_number
