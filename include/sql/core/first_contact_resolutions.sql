-- Grain: one row per ticket, whether it can be judged or not.
-- Operations' definition (METHODS.md 1.2): one public comment of an agent solved it for good, no other team was needed,
-- and its customer did not come back within the window. What customers say themselves is another indicator.
-- Nothing here depends on when the run happens: who counts the tickets waits until their windows have ended.
WITH contacts AS (
  SELECT
    ticket_id,
    contact_key,
    customer_id,
    topic,
    channel,
    first_team_id AS team_id,
    created_priority AS priority,
    created_account_tier AS account_tier,
    created_at,
    created_date,
    solved_at,
    is_one_touch AND reopen_count = 0 AND team_handoff_count = 0 AS is_one_contact,
    is_deleted,
    is_merged,
    is_spam,
    is_bot_only,
    -- What was deleted, merged or spam was no contact.
    CASE WHEN NOT (is_deleted OR is_merged OR is_spam) THEN created_at END AS contacted_at
  FROM {{ rows('core.tickets') }}
),

-- Newest first: what stands before a ticket is what came after it. So an engine adds one ticket at a time, however
-- many a customer has.
later_contacts AS (
  SELECT
    *,
    MIN(contacted_at) OVER later_of_customer AS next_at,
    MIN(CASE WHEN topic = 'unknown' THEN contacted_at END) OVER later_of_customer AS next_of_no_topic_at,
    MIN(contacted_at) OVER later_of_topic AS next_of_topic_at
  FROM contacts
  WINDOW
    later_of_customer AS (
      PARTITION BY contact_key
      ORDER BY created_at DESC, ticket_id DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ),
    later_of_topic AS (
      PARTITION BY contact_key, topic
      ORDER BY created_at DESC, ticket_id DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
),

-- Another topic is another matter; where either topic is not known, it may be the same.
next_contacts AS (
  SELECT
    *,
    CASE
      WHEN topic = 'unknown' THEN next_at
      WHEN next_of_topic_at IS NULL OR next_of_no_topic_at < next_of_topic_at THEN next_of_no_topic_at
      ELSE next_of_topic_at
    END AS next_contact_at,
    CASE
      WHEN solved_at IS NOT NULL
        THEN
          {{ sql.add_seconds(service.repeat_window_from ~ '_at', service.repeat_window_seconds) }}
    END AS window_ends_at
  FROM later_contacts
),

judged_contacts AS (
  SELECT
    *,
    CASE
      WHEN solved_at IS NOT NULL AND customer_id IS NOT NULL
        THEN COALESCE(next_contact_at <= window_ends_at, FALSE)
    END AS has_repeat_contact
  FROM next_contacts
)

SELECT
  contacts.ticket_id,
  contacts.contact_key,
  contacts.customer_id,
  contacts.topic,
  contacts.channel,
  contacts.team_id,
  contacts.priority,
  contacts.account_tier,
  contacts.created_at,
  contacts.created_date,
  contacts.solved_at,
  contacts.next_contact_at,
  contacts.window_ends_at,
  {{ sql.reporting_date('contacts.window_ends_at', 'ending_day') }} AS window_ends_date,
  contacts.is_one_contact,
  contacts.has_repeat_contact,
  CASE
    WHEN contacts.is_one_contact IS NOT NULL AND contacts.has_repeat_contact IS NOT NULL
      THEN contacts.is_one_contact AND NOT contacts.has_repeat_contact
  END AS is_solved_at_first_contact,
  contacts.solved_at IS NULL OR contacts.customer_id IS NULL OR contacts.is_one_contact IS NULL AS is_unjudged,
  contacts.is_deleted,
  contacts.is_merged,
  contacts.is_spam,
  contacts.is_bot_only
FROM judged_contacts AS contacts
LEFT JOIN core.reporting_offsets AS ending_day ON CAST(contacts.window_ends_at AS DATE) = ending_day.utc_date
