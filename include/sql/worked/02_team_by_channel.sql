-- Grain: one row per channel and team with solved tickets in the newest four finished weeks.
-- Where do solutions not hold: which team on which channel?
-- A ratio of several weeks is the sum of the numerators over the sum of the denominators, never the mean of the ratios;
-- that is why both are stored. Quantiles cannot be put together so: take them from a longer grain. A cell below 30 is
-- shown but flagged; the indicator's `minimum_denominator` says how few are too few.
WITH newest_weeks AS (
  SELECT MAX(period_start) AS period_start
  FROM indicators.indicator_values
  WHERE indicator = 'reopen_rate' AND grain = 'week' AND segment_id = 'all' AND state <> 'incomplete'
),

cells AS (
  SELECT
    stored.segment_id,
    COUNT(*) AS week_count,
    SUM(stored.numerator) AS reopened_count,
    SUM(stored.denominator) AS solved_count
  FROM indicators.indicator_values AS stored
  INNER JOIN newest_weeks
    ON stored.period_start <= newest_weeks.period_start
    AND stored.period_start > newest_weeks.period_start - 28
  WHERE stored.indicator = 'reopen_rate' AND stored.grain = 'week'
  GROUP BY stored.segment_id
)

SELECT
  segments.segment_value AS channel,
  segments.second_segment_value AS team_id,
  segments.label,
  cells.week_count,
  cells.reopened_count,
  cells.solved_count,
  cells.reopened_count / NULLIF(cells.solved_count, 0) AS reopen_ratio,
  cells.solved_count >= 30 AS has_enough_data
FROM cells
INNER JOIN indicators.segments AS segments ON cells.segment_id = segments.segment_id
WHERE segments.dimension = 'channel&team' AND cells.solved_count > 0
ORDER BY reopen_ratio DESC, channel, team_id
