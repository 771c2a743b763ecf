-- Grain: one row per issue: one person's contacts about one topic with no more than 14 days from one to the next.
-- Channel, topic and tier are those of the first contact.
SELECT
  issue_id,
  person_id,
  topic,
  MIN(CASE WHEN contact_number = 1 THEN channel END) AS channel,
  MIN(CASE WHEN contact_number = 1 THEN account_tier END) AS account_tier,
  MIN(contacted_at) AS started_at,
  MIN(contacted_date) AS started_date,
  MAX(contacted_at) AS last_contacted_at,
  COUNT(*) AS contact_count,
  COUNT(DISTINCT channel) AS channel_count,
  COUNT(CASE WHEN is_channel_switch THEN 1 END) AS switch_count,
  COUNT(*) > 1 AS is_repeated,
  COUNT(CASE WHEN is_channel_switch THEN 1 END) > 0 AS has_channel_switch
FROM {{ rows('core.issue_contacts') }}
GROUP BY issue_id, person_id, topic
