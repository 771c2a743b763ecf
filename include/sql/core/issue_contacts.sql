-- Grain: one row per contact, with its place in the issue that it belongs to.
-- Our convention (METHODS.md 1.3): contacts of one person about one topic are one issue as long as no more than 14 days
-- lie between one and the next. Contacts without a topic are an issue of their own kind, less sure than the others.
WITH gaps AS (
  SELECT
    contact_kind,
    origin_id,
    person_id,
    topic,
    channel,
    account_tier,
    contacted_at,
    contacted_date,
    LAG(contacted_at) OVER (
      PARTITION BY person_id, topic
      ORDER BY contacted_at, contact_kind, origin_id
    ) AS contacted_before_at
  FROM {{ rows('core.contacts') }}
),

openings AS (
  SELECT
    gaps.*,
    COALESCE({{ sql.seconds_between('contacted_before_at', 'contacted_at') }} <= 14 * 86400, FALSE) AS is_repeat
  FROM gaps
),

numbered AS (
  SELECT
    openings.*,
    SUM(CASE WHEN is_repeat THEN 0 ELSE 1 END) OVER (
      PARTITION BY person_id, topic
      ORDER BY contacted_at, contact_kind, origin_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS issue_number
  FROM openings
),

placed AS (
  SELECT
    numbered.*,
    FIRST_VALUE(contact_kind || ' ' || origin_id) OVER in_issue AS issue_id,
    ROW_NUMBER() OVER in_issue AS contact_number,
    LAG(channel) OVER in_issue AS channel_before
  FROM numbered
  WINDOW in_issue AS (
    PARTITION BY person_id, topic, issue_number
    ORDER BY contacted_at, contact_kind, origin_id
  )
)

SELECT
  issue_id,
  CAST(contact_number AS INTEGER) AS contact_number,
  contact_kind,
  origin_id,
  person_id,
  topic,
  channel,
  channel_before,
  COALESCE(channel <> channel_before, FALSE) AS is_channel_switch,
  account_tier,
  contacted_at,
  contacted_date
FROM placed
