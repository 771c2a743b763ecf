-- Grain: one row per grain, period and segment with values of all five SERVQUAL dimensions.
-- The method's overall figure (Parasuraman, Zeithaml and Berry 1988): mean of the five dimensions' means, each over
-- those respondents who rated it; weighted by the shares of 100 points (servqual_weights/).
WITH weights AS (
  {%- for dimension, points in servqual_weights.items() %}
  {%- if not loop.first %}
  UNION ALL
  {%- endif %}
  SELECT
    {{ sql.text_list(['servqual_gap_' ~ dimension]) }} AS indicator,
    {{ sql.cast(points, 'double') }} AS points
  {%- endfor %}
)

SELECT
  dimensions.grain,
  dimensions.period_start,
  dimensions.segment_id,
  MIN(dimensions.sample_count) AS smallest_sample_count,
  SUM(dimensions.value) * 0.2 AS unweighted_gap,
  SUM(weights.points * dimensions.value) * 0.01 AS weighted_gap,
  CASE
    WHEN COUNT(CASE WHEN dimensions.state = 'incomplete' THEN 1 END) > 0 THEN 'incomplete'
    WHEN COUNT(CASE WHEN dimensions.state = 'insufficient' THEN 1 END) > 0 THEN 'insufficient'
    ELSE 'ok'
  END AS state
FROM indicators.indicator_values AS dimensions
INNER JOIN weights ON dimensions.indicator = weights.indicator
WHERE dimensions.value IS NOT NULL
GROUP BY dimensions.grain, dimensions.period_start, dimensions.segment_id
HAVING COUNT(*) = 5
