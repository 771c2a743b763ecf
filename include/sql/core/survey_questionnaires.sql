-- Grain: one row per sitting: one respondent's overall gap or performance.
-- Unweighted is the mean of the five dimensions, weighted that by the shares of 100 points (servqual_weights/). Both
-- need all five: a respondent who left one out would be judged by other dimensions than the rest.
WITH dimensions AS (
  SELECT
    sitting_id,
    instrument,
    MIN(formula) AS formula,
    MIN(responded_date) AS responded_date,
    MIN(channel) AS channel,
    MIN(team_id) AS team_id,
    MIN(priority) AS priority,
    MIN(account_tier) AS account_tier,
    {%- for dimension in servqual_weights %}
    MAX(CASE WHEN servqual_dimension = '{{ dimension }}' THEN gap END) AS {{ dimension }}_gap,
    MAX(CASE WHEN servqual_dimension = '{{ dimension }}' THEN perception_score END) AS {{ dimension }}_score,
    {%- endfor %}
    COUNT(gap) AS compared_dimension_count,
    COUNT(perception_score) AS perceived_dimension_count
  FROM core.survey_sittings
  GROUP BY sitting_id, instrument
)

SELECT
  sitting_id,
  instrument,
  formula,
  responded_date,
  CAST(compared_dimension_count AS INTEGER) AS compared_dimension_count,
  CAST(perceived_dimension_count AS INTEGER) AS perceived_dimension_count,
  -- A sum with a missing dimension is missing. Kept to 2^-32 of a point, so that sums over respondents are exact in
  -- whatever order they are added up.
  {%- for column, suffix in (('gap', 'gap'), ('perception_score', 'score')) %}
  FLOOR(
    0.5 + 4294967296.0 * 0.2 * (
      {%- for dimension in servqual_weights %}
      {{ '' if loop.first else '+ ' }}{{ dimension }}_{{ suffix }}
      {%- endfor %}
    )
  ) / 4294967296.0 AS {{ column }},
  FLOOR(
    0.5 + 4294967296.0 * 0.01 * (
      {%- for dimension, points in servqual_weights.items() %}
      {{ '' if loop.first else '+ ' }}{{ points }} * {{ dimension }}_{{ suffix }}
      {%- endfor %}
    )
  ) / 4294967296.0 AS weighted_{{ column }},
  {%- endfor %}
  CASE formula WHEN 'gap' THEN compared_dimension_count < 5 ELSE perceived_dimension_count < 5 END AS is_partial,
  channel,
  team_id,
  priority,
  account_tier
FROM dimensions
