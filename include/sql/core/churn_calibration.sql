-- Grain: one row per group of churn scores whose horizon has ended: all, each band, each tenth by probability.
-- Only Mondays a whole horizon apart count, so that no account is judged twice for the same weeks.
WITH run_ends AS (
  SELECT MAX(as_of) AS as_of
  FROM ops.runs
),

judged AS (
  SELECT
    scores.band,
    scores.churn_probability_ratio,
    scores.churned_count,
    scores.squared_error,
    NTILE(10) OVER (
      ORDER BY scores.churn_probability_ratio, scores.points, scores.account_id, scores.scored_date
    ) AS decile
  FROM core.churn_scores AS scores
  INNER JOIN core.reporting_days AS days ON scores.outcome_date = days.reporting_date
  INNER JOIN run_ends ON days.started_at <= run_ends.as_of
  WHERE scores.is_calibration_point
),

grouped AS (
  SELECT
    'all' AS group_kind,
    'all' AS group_id,
    churn_probability_ratio,
    churned_count,
    squared_error
  FROM judged
  UNION ALL
  SELECT
    'band' AS group_kind,
    band AS group_id,
    churn_probability_ratio,
    churned_count,
    squared_error
  FROM judged
  UNION ALL
  SELECT
    'decile' AS group_kind,
    CASE WHEN decile < 10 THEN '0' ELSE '' END || CAST(decile AS VARCHAR) AS group_id,
    churn_probability_ratio,
    churned_count,
    squared_error
  FROM judged
)

SELECT
  group_kind,
  group_id,
  CAST(COUNT(*) AS BIGINT) AS score_count,
  CAST(SUM(churned_count) AS BIGINT) AS churned_count,
  SUM(churn_probability_ratio) AS expected_count,
  {{ sql.ratio('SUM(churn_probability_ratio)', 'COUNT(*)') }} AS expected_ratio,
  {{ sql.ratio('SUM(churned_count)', 'COUNT(*)') }} AS observed_ratio,
  {{ sql.ratio('SUM(squared_error)', 'COUNT(*)') }} AS brier_score
FROM grouped
GROUP BY group_kind, group_id
