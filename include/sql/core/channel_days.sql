-- Grain: one row per day, kind of service and channel: contacts that people, bots and self-service had.
-- A session that a bot hands over becomes a ticket: it is closed by people, and counts there.
WITH contacts AS (
  SELECT
    created_date AS contact_date,
    'people' AS service_kind,
    channel,
    1 AS contact_count,
    0 AS automated_count,
    1 AS closed_count
  FROM core.tickets
  WHERE NOT (is_deleted OR is_merged OR is_spam OR is_bot_only)
  UNION ALL
  SELECT
    {{ sql.reporting_date('sessions.started_at', 'started_day') }} AS contact_date,
    'bot' AS service_kind,
    'bot' AS channel,
    1 AS contact_count,
    CASE WHEN sessions.is_handed_off THEN 0 ELSE 1 END AS automated_count,
    CASE WHEN sessions.is_handed_off THEN 0 ELSE 1 END AS closed_count
  FROM staging.conversations AS sessions
  INNER JOIN core.reporting_offsets AS started_day ON CAST(sessions.started_at AS DATE) = started_day.utc_date
  WHERE sessions.deleted_at IS NULL
  UNION ALL
  -- Tickets that only a bot answered, where the source tells no session of theirs.
  SELECT
    tickets.created_date AS contact_date,
    'bot' AS service_kind,
    'bot' AS channel,
    1 AS contact_count,
    1 AS automated_count,
    1 AS closed_count
  FROM core.tickets AS tickets
  LEFT JOIN (
    SELECT DISTINCT ticket_id
    FROM staging.conversations
    WHERE ticket_id IS NOT NULL AND deleted_at IS NULL
  ) AS told ON tickets.ticket_id = told.ticket_id
  WHERE
    tickets.is_bot_only
    AND told.ticket_id IS NULL
    AND NOT (tickets.is_deleted OR tickets.is_merged OR tickets.is_spam)
  UNION ALL
  SELECT
    measured_date AS contact_date,
    'self_service' AS service_kind,
    'self_service' AS channel,
    numerator AS contact_count,
    0 AS automated_count,
    0 AS closed_count
  FROM core.measurements
  WHERE measure = {{ sql.text_list([cost_model.self_service_measure]) }}
)

SELECT
  contact_date,
  service_kind,
  channel,
  {{ sql.cast('SUM(contact_count)', 'double') }} AS contact_count,
  CAST(SUM(automated_count) AS BIGINT) AS automated_count,
  CAST(SUM(closed_count) AS BIGINT) AS closed_count
FROM contacts
GROUP BY contact_date, service_kind, channel
