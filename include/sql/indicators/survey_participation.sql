-- Grain: one row per question, grain (month, quarter), period, dimension and segment value.
-- Who answered beside who did not: where the two shares of a segment differ, answers speak for others than were asked.
WITH delivered AS (
  SELECT
    survey_id,
    sent_date,
    channel,
    team_id,
    priority,
    account_tier,
    is_answered
  FROM core.survey_invitations
  WHERE NOT is_bounced AND NOT is_deleted
),

periods AS (
  SELECT DISTINCT
    'month' AS grain,
    {{ sql.period_start('month', 'sent_date') }} AS period_start,
    sent_date
  FROM delivered
  UNION ALL
  SELECT DISTINCT
    'quarter' AS grain,
    {{ sql.period_start('quarter', 'sent_date') }} AS period_start,
    sent_date
  FROM delivered
),

cuts AS (
  SELECT
    delivered.survey_id,
    delivered.sent_date,
    dimensions.dimension,
    CASE dimensions.dimension
      WHEN 'channel' THEN delivered.channel
      WHEN 'team' THEN delivered.team_id
      WHEN 'priority' THEN delivered.priority
      ELSE delivered.account_tier
    END AS segment_value,
    COUNT(*) AS delivered_count,
    COUNT(CASE WHEN delivered.is_answered THEN 1 END) AS answered_count
  FROM delivered
  CROSS JOIN (
    SELECT 'channel' AS dimension
    UNION ALL
    SELECT 'team' AS dimension
    UNION ALL
    SELECT 'priority' AS dimension
    UNION ALL
    SELECT 'account_tier' AS dimension
  ) AS dimensions
  GROUP BY 1, 2, 3, 4
),

segments AS (
  SELECT
    cuts.survey_id,
    periods.grain,
    periods.period_start,
    cuts.dimension,
    cuts.segment_value,
    CAST(SUM(cuts.delivered_count) AS BIGINT) AS delivered_count,
    CAST(SUM(cuts.answered_count) AS BIGINT) AS answered_count
  FROM cuts
  INNER JOIN periods ON cuts.sent_date = periods.sent_date
  GROUP BY cuts.survey_id, periods.grain, periods.period_start, cuts.dimension, cuts.segment_value
),

shares AS (
  SELECT
    segments.*,
    {{ sql.ratio('answered_count', 'delivered_count') }} AS response_ratio,
    {{ sql.ratio('answered_count', 'SUM(answered_count) OVER in_dimension') }} AS answered_share_ratio,
    {{ sql.ratio('delivered_count - answered_count', 'SUM(delivered_count - answered_count) OVER in_dimension') }}
      AS unanswered_share_ratio
  FROM segments
  WINDOW in_dimension AS (PARTITION BY survey_id, grain, period_start, dimension)
)

SELECT
  survey_id,
  grain,
  period_start,
  dimension,
  segment_value,
  delivered_count,
  answered_count,
  response_ratio,
  answered_share_ratio,
  unanswered_share_ratio,
  answered_share_ratio - unanswered_share_ratio AS share_difference
FROM shares
