-- Grain: one row per contact of a customer: a ticket, or a session with a bot, a help centre or a voice system.
-- A ticket that came of a session in the same channel is that contact going on, so it is not counted again; in another
-- channel it is another contact. What was deleted, merged or spam was none.
SELECT
  'ticket' AS contact_kind,
  tickets.ticket_id AS origin_id,
  tickets.ticket_id,
  tickets.customer_id,
  COALESCE(links.person_id, tickets.customer_id, 'ticket ' || tickets.ticket_id) AS person_id,
  tickets.created_at AS contacted_at,
  tickets.created_date AS contacted_date,
  tickets.channel,
  tickets.topic,
  tickets.created_account_tier AS account_tier
FROM {{ rows('core.tickets', 'ticket_id') }} AS tickets
LEFT JOIN core.customer_links AS links ON tickets.customer_id = links.source_key
LEFT JOIN (
  SELECT DISTINCT
    ticket_id,
    channel
  FROM core.conversations
  WHERE ticket_id IS NOT NULL AND NOT is_deleted
) AS continued
  ON tickets.ticket_id = continued.ticket_id
  AND tickets.channel = continued.channel
WHERE
  continued.ticket_id IS NULL
  AND NOT (tickets.is_deleted OR tickets.is_merged OR tickets.is_spam)
UNION ALL
SELECT
  'session' AS contact_kind,
  conversations.conversation_id AS origin_id,
  conversations.ticket_id,
  conversations.customer_id,
  COALESCE(conversations.person_id, 'session ' || conversations.conversation_id) AS person_id,
  conversations.started_at AS contacted_at,
  conversations.started_date AS contacted_date,
  conversations.channel,
  conversations.topic,
  conversations.account_tier
FROM {{ rows('core.conversations', 'conversation_id') }} AS conversations
WHERE NOT conversations.is_deleted
