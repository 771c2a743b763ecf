-- Grain: one row per sitting: one respondent's overall gap or performance.
-- Unweighted is the mean of the five dimensions, weighted that by the shares of 100 points (servqual_weights/). Both
-- need all five: a respondent who left one out would be judged by other dimensions than the rest.
WITH weights AS (
  {%- for dimension, points in servqual_weights.items() %}
  {%- if not loop.first %}
  UNION ALL
  {%- endif %}
  SELECT
    {{ sql.text_list([dimension]) }} AS servqual_dimension,
    {{ sql.cast(points, 'double') }} AS points
  {%- endfor %}
),

totals AS (
  SELECT
    sittings.sitting_id,
    sittings.instrument,
    MIN(sittings.formula) AS formula,
    MIN(sittings.responded_date) AS responded_date,
    MIN(sittings.channel) AS channel,
    MIN(sittings.team_id) AS team_id,
    MIN(sittings.priority) AS priority,
    MIN(sittings.account_tier) AS account_tier,
    COUNT(sittings.gap) AS compared_dimension_count,
    COUNT(sittings.perception_score) AS perceived_dimension_count,
    SUM(sittings.gap) AS gap_sum,
    SUM(sittings.perception_score) AS perception_sum,
    SUM(weights.points * sittings.gap) AS weighted_gap_sum,
    SUM(weights.points * sittings.perception_score) AS weighted_perception_sum
  FROM core.survey_sittings AS sittings
  INNER JOIN weights ON sittings.servqual_dimension = weights.servqual_dimension
  GROUP BY sittings.sitting_id, sittings.instrument
)

SELECT
  sitting_id,
  instrument,
  formula,
  responded_date,
  CAST(compared_dimension_count AS INTEGER) AS compared_dimension_count,
  CAST(perceived_dimension_count AS INTEGER) AS perceived_dimension_count,
  CASE WHEN compared_dimension_count = 5 THEN gap_sum * 0.2 END AS gap,
  CASE WHEN compared_dimension_count = 5 THEN weighted_gap_sum * 0.01 END AS weighted_gap,
  CASE WHEN perceived_dimension_count = 5 THEN perception_sum * 0.2 END AS perception_score,
  CASE WHEN perceived_dimension_count = 5 THEN weighted_perception_sum * 0.01 END AS weighted_perception_score,
  CASE formula WHEN 'gap' THEN compared_dimension_count < 5 ELSE perceived_dimension_count < 5 END AS is_partial,
  channel,
  team_id,
  priority,
  account_tier
FROM totals
