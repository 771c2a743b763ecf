-- Grain: one row per indicator, grain and finished period with at least two channels that can be judged.
-- chi_square: that of all channels together against the pooled share, for shares alone (homogeneity in a 2 x k table).
WITH channels AS (
  SELECT
    indicator,
    grain,
    period_start,
    SUBSTR(segment_id, 9) AS channel,
    numerator,
    denominator,
    value,
    state = 'ok' AS is_judged
  FROM indicators.indicator_values
  WHERE
    indicator IN ({{ asked }})
    AND grain IN ('week', 'month', 'quarter')
    AND segment_id LIKE 'channel=%'
    AND segment_id NOT LIKE '%&%'
    AND segment_id <> 'channel=unknown'
    AND state IN ('ok', 'insufficient')
),

pooled AS (
  SELECT
    channels.*,
    CASE
      WHEN indicator IN ({{ shares }})
        THEN SUM(CASE WHEN is_judged THEN numerator END) OVER in_period
          / SUM(CASE WHEN is_judged THEN denominator END) OVER in_period
    END AS pooled_value,
    FIRST_VALUE(channel) OVER (
      PARTITION BY indicator, grain, period_start
      ORDER BY CASE WHEN is_judged THEN 0 ELSE 1 END, value, channel
    ) AS lowest_channel,
    FIRST_VALUE(channel) OVER (
      PARTITION BY indicator, grain, period_start
      ORDER BY CASE WHEN is_judged THEN 0 ELSE 1 END, value DESC, channel
    ) AS highest_channel
  FROM channels
  WINDOW in_period AS (PARTITION BY indicator, grain, period_start)
),

-- Added up in the order of the channels, so that every run gives the same last digit.
added AS (
  SELECT
    pooled.*,
    SUM(
      CASE
        WHEN is_judged AND pooled_value > 0 AND pooled_value < 1
          THEN denominator * (value - pooled_value) * (value - pooled_value) / (pooled_value * (1 - pooled_value))
      END
    ) OVER (
      PARTITION BY indicator, grain, period_start
      ORDER BY channel
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS chi_square_so_far
  FROM pooled
)

SELECT
  indicator,
  grain,
  period_start,
  COUNT(CASE WHEN is_judged THEN 1 END) AS judged_channel_count,
  COUNT(CASE WHEN NOT is_judged THEN 1 END) AS small_channel_count,
  MIN(pooled_value) AS pooled_value,
  MIN(lowest_channel) AS lowest_channel,
  MIN(CASE WHEN is_judged THEN value END) AS lowest_value,
  MIN(highest_channel) AS highest_channel,
  MAX(CASE WHEN is_judged THEN value END) AS highest_value,
  MAX(chi_square_so_far) AS chi_square
FROM added
GROUP BY indicator, grain, period_start
HAVING COUNT(CASE WHEN is_judged THEN 1 END) > 1
ORDER BY indicator, grain, period_start
