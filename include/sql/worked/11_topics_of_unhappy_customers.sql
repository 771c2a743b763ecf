-- Grain: one row per topic that a comment against the service names.
-- What do unhappy customers write about, and what is new in it?
-- Read are comments whose rating is bad by its scale contract: of the fourteen days before the newest run, and of the
-- eight weeks before those. A comment may name several topics, and one that no topic fits stands under `none`, so that
-- shares do not add up to one. Few comments move by chance: look at the counts first. Add channel or team_id to both
-- SELECTs to see where.
WITH comments AS (
  SELECT
    response_id,
    responded_at >= as_of - INTERVAL '14 days' AS is_recent
  FROM core.survey_comments
  CROSS JOIN (
    SELECT MAX(as_of) AS as_of
    FROM ops.runs
  ) AS runs
  WHERE
    stance = 'against'
    AND responded_at >= as_of - INTERVAL '70 days'
),

read_comments AS (
  SELECT
    COUNT(CASE WHEN is_recent THEN 1 END) AS recent_comment_count,
    COUNT(CASE WHEN NOT is_recent THEN 1 END) AS earlier_comment_count
  FROM comments
),

named_topics AS (
  SELECT
    COALESCE(topics.topic_id, 'none') AS topic_id,
    COUNT(CASE WHEN comments.is_recent THEN 1 END) AS recent_count,
    COUNT(CASE WHEN NOT comments.is_recent THEN 1 END) AS earlier_count
  FROM comments
  LEFT JOIN core.survey_comment_topics AS topics ON comments.response_id = topics.response_id
  GROUP BY COALESCE(topics.topic_id, 'none')
)

SELECT
  named_topics.topic_id,
  named_topics.recent_count,
  named_topics.earlier_count,
  named_topics.recent_count / NULLIF(CAST(read_comments.recent_comment_count AS DOUBLE PRECISION), 0) AS recent_ratio,
  named_topics.earlier_count / NULLIF(CAST(read_comments.earlier_comment_count AS DOUBLE PRECISION), 0)
    AS earlier_ratio
FROM named_topics
CROSS JOIN read_comments
ORDER BY named_topics.recent_count DESC, named_topics.topic_id
