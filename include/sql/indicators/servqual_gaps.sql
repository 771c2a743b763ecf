-- Grain: one row per grain, period and segment with values of all five SERVQUAL dimensions.
-- The method's overall figure (Parasuraman, Zeithaml and Berry 1988): mean of the five dimensions' means, each over
-- those respondents who rated it; weighted by the shares of 100 points (servqual_weights/).
WITH gaps AS (
  SELECT
    grain,
    period_start,
    segment_id,
    MIN(sample_count) AS smallest_sample_count,
    {%- for dimension in servqual_weights %}
    MAX(CASE WHEN indicator = 'servqual_gap_{{ dimension }}' THEN value END) AS {{ dimension }}_gap,
    {%- endfor %}
    CASE
      WHEN COUNT(CASE WHEN state = 'incomplete' THEN 1 END) > 0 THEN 'incomplete'
      WHEN COUNT(CASE WHEN state = 'insufficient' THEN 1 END) > 0 THEN 'insufficient'
      ELSE 'ok'
    END AS state
  FROM indicators.indicator_values
  WHERE
    indicator IN (
      {%- for dimension in servqual_weights %}
      'servqual_gap_{{ dimension }}'{{ '' if loop.last else ',' }}
      {%- endfor %}
    )
    AND value IS NOT NULL
  GROUP BY grain, period_start, segment_id
  HAVING COUNT(*) = 5
)

SELECT
  gaps.*,
  0.2 * (
    {%- for dimension in servqual_weights %}
    {{ '' if loop.first else '+ ' }}{{ dimension }}_gap
    {%- endfor %}
  ) AS unweighted_gap,
  0.01 * (
    {%- for dimension, points in servqual_weights.items() %}
    {{ '' if loop.first else '+ ' }}{{ points }} * {{ dimension }}_gap
    {%- endfor %}
  ) AS weighted_gap
FROM gaps
