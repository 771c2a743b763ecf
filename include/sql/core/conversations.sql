-- Grain: one row per session with a bot, a help centre or a voice system.
-- Whether a session settled the matter shows in what the same person did next: a ticket, or talk with an agent, between
-- its start and 72 hours after its end (METHODS.md 1.3). People are told apart by core.customer_links; of a session of
-- nobody known that cannot be said. Nothing here depends on when the run happens: indicators wait for the 72 hours.
WITH sessions AS (
  SELECT
    conversations.*,
    COALESCE(conversations.ended_at, conversations.started_at) AS last_at,
    COALESCE(links.person_id, conversations.customer_id) AS person_id
  FROM {{ rows('staging.conversations') }} AS conversations
  LEFT JOIN core.customer_links AS links ON conversations.customer_id = links.source_key
),

people AS (
  SELECT DISTINCT person_id
  FROM sessions
  WHERE person_id IS NOT NULL
),

person_keys AS (
  SELECT
    people.person_id,
    links.source_key AS customer_id
  FROM people
  INNER JOIN core.customer_links AS links ON people.person_id = links.person_id
  UNION
  SELECT
    sessions.person_id,
    sessions.customer_id
  FROM sessions
  WHERE sessions.person_id IS NOT NULL
),

-- What a person may do after a session. A ticket that only bots answered is a ticket, but no talk with an agent.
contacts AS (
  SELECT
    person_keys.person_id,
    tickets.ticket_id AS contact_id,
    tickets.created_at AS contacted_at,
    tickets.created_at AS ticket_at,
    CASE WHEN NOT tickets.is_bot_only THEN tickets.created_at END AS agent_at
  FROM core.tickets AS tickets
  INNER JOIN person_keys ON tickets.customer_id = person_keys.customer_id
  WHERE NOT (tickets.is_deleted OR tickets.is_merged OR tickets.is_spam)
  UNION ALL
  SELECT
    person_keys.person_id,
    handed_off.conversation_id AS contact_id,
    handed_off.started_at AS contacted_at,
    CAST(NULL AS TIMESTAMP) AS ticket_at,
    handed_off.started_at AS agent_at
  FROM staging.conversations AS handed_off
  INNER JOIN person_keys ON handed_off.customer_id = person_keys.customer_id
  WHERE handed_off.is_handed_off AND handed_off.deleted_at IS NULL
),

timeline AS (
  SELECT
    person_id,
    started_at AS happened_at,
    1 AS is_session,
    conversation_id AS happening_id,
    CAST(NULL AS TIMESTAMP) AS ticket_at,
    CAST(NULL AS TIMESTAMP) AS agent_at
  FROM sessions
  WHERE person_id IS NOT NULL
  UNION ALL
  SELECT
    person_id,
    contacted_at AS happened_at,
    0 AS is_session,
    contact_id AS happening_id,
    ticket_at,
    agent_at
  FROM contacts
),

-- Newest first, and of one instant contacts before sessions: what stands before a session is what came after it.
followed AS (
  SELECT
    is_session,
    happening_id,
    MIN(ticket_at) OVER later AS next_ticket_at,
    -- The earliest second and the key in one text, so that one minimum finds both.
    MIN(
      CASE
        WHEN ticket_at IS NOT NULL
          THEN LPAD(CAST({{ sql.epoch_second('ticket_at') }} AS VARCHAR(12)), 12, '0') || happening_id
      END
    ) OVER later AS next_ticket,
    MIN(agent_at) OVER later AS next_agent_contact_at
  FROM timeline
  WINDOW later AS (
    PARTITION BY person_id
    ORDER BY happened_at DESC, is_session, happening_id DESC
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  )
),

judged AS (
  SELECT
    sessions.*,
    {{ sql.add_seconds('sessions.last_at', 72 * 3600) }} AS window_ends_at,
    followed.next_ticket_at,
    SUBSTR(followed.next_ticket, 13) AS next_ticket_id,
    followed.next_agent_contact_at
  FROM sessions
  LEFT JOIN followed ON sessions.conversation_id = followed.happening_id AND followed.is_session = 1
),

outcomes AS (
  SELECT
    judged.*,
    COALESCE(judged.is_handed_off, FALSE) AS was_handed_off,
    judged.ticket_id IS NOT NULL OR COALESCE(judged.next_ticket_at <= judged.window_ends_at, FALSE)
      AS has_ticket_within_window,
    COALESCE(judged.next_agent_contact_at <= judged.window_ends_at, FALSE) AS has_agent_within_window
  FROM judged
)

SELECT
  outcomes.conversation_id,
  outcomes.source,
  COALESCE(outcomes.kind, 'bot') AS kind,
  outcomes.channel,
  COALESCE(outcomes.topic, 'unknown') AS topic,
  outcomes.customer_id,
  outcomes.person_id,
  account_links.account_id,
  outcomes.ticket_id,
  outcomes.started_at,
  {{ sql.reporting_date('outcomes.started_at', 'started_day') }} AS started_date,
  outcomes.ended_at,
  {{ sql.seconds_between('outcomes.started_at', 'outcomes.ended_at') }} AS session_calendar_seconds,
  outcomes.window_ends_at,
  {{ sql.reporting_date('outcomes.window_ends_at', 'ending_day') }} AS window_ends_date,
  outcomes.next_ticket_id,
  outcomes.next_ticket_at,
  outcomes.next_agent_contact_at,
  outcomes.bot_confidence_ratio,
  outcomes.was_handed_off AS is_handed_off,
  outcomes.is_contained AS is_contained_by_source,
  outcomes.is_resolved AS is_resolved_by_vote,
  NOT outcomes.was_handed_off AS is_contained,
  CASE
    WHEN outcomes.was_handed_off THEN FALSE
    WHEN outcomes.person_id IS NOT NULL THEN NOT outcomes.has_agent_within_window
  END AS is_truly_contained,
  -- Nobody talked to an agent, and the person said that it was solved.
  CASE
    WHEN outcomes.was_handed_off OR NOT COALESCE(outcomes.is_resolved, FALSE) THEN FALSE
    WHEN outcomes.person_id IS NOT NULL THEN NOT outcomes.has_agent_within_window
  END AS is_resolved_without_agent,
  COALESCE(outcomes.has_contact_intent, FALSE) AS has_contact_intent,
  CASE
    WHEN outcomes.was_handed_off OR outcomes.ticket_id IS NOT NULL THEN FALSE
    WHEN outcomes.person_id IS NOT NULL THEN NOT outcomes.has_ticket_within_window
  END AS is_deflected,
  CASE
    WHEN outcomes.was_handed_off THEN FALSE
    WHEN outcomes.is_resolved THEN TRUE
    WHEN outcomes.person_id IS NOT NULL
      THEN NOT (outcomes.has_agent_within_window OR outcomes.has_ticket_within_window)
  END AS is_solved_by_content,
  outcomes.person_id IS NULL AS is_anonymous,
  COALESCE(versions.tier, 'unlinked') AS account_tier,
  outcomes.deleted_at IS NOT NULL AS is_deleted
FROM outcomes
LEFT JOIN core.account_links AS account_links ON outcomes.customer_id = account_links.source_key
LEFT JOIN core.account_versions AS versions
  ON account_links.account_id = versions.account_id
  AND outcomes.started_at >= versions.valid_from
  AND outcomes.started_at < versions.valid_to
LEFT JOIN core.reporting_offsets AS started_day ON CAST(outcomes.started_at AS DATE) = started_day.utc_date
LEFT JOIN core.reporting_offsets AS ending_day ON CAST(outcomes.window_ends_at AS DATE) = ending_day.utc_date
