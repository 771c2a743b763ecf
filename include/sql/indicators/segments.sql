-- Grain: one row per segment that any indicator has a value for. Of a two-way segment the label names both parts.
WITH listed AS (
  SELECT DISTINCT
    segment_id,
    SPLIT_PART(segment_id, '&', 1) AS first_part,
    SPLIT_PART(segment_id, '&', 2) AS second_part
  FROM indicators.indicator_values
),

parts AS (
  SELECT
    segment_id,
    SPLIT_PART(first_part, '=', 1) AS dimension,
    SUBSTR(first_part, LENGTH(SPLIT_PART(first_part, '=', 1)) + 2) AS segment_value,
    SPLIT_PART(second_part, '=', 1) AS second_dimension,
    SUBSTR(second_part, LENGTH(SPLIT_PART(second_part, '=', 1)) + 2) AS second_value
  FROM listed
),

plain AS (
  SELECT
    segment_id,
    dimension,
    second_dimension,
    REPLACE(REPLACE(segment_value, '%26', '&'), '%25', '%') AS segment_value,
    REPLACE(REPLACE(second_value, '%26', '&'), '%25', '%') AS second_value
  FROM parts
)

SELECT
  plain.segment_id,
  CASE WHEN plain.second_dimension = '' THEN plain.dimension ELSE plain.dimension || '&' || plain.second_dimension END
    AS dimension,
  plain.segment_value,
  NULLIF(plain.second_value, '') AS second_segment_value,
  CASE
    WHEN plain.segment_id = 'all' THEN 'Whole service'
    -- A pseudonym is told by its beginning; an owner who may be named has no name of 64 letters.
    WHEN plain.segment_id LIKE 'account_owner=%' AND plain.second_dimension = '' AND LENGTH(plain.segment_value) = 64
      THEN SUBSTR(plain.segment_value, 1, 8)
    WHEN plain.second_dimension = '' THEN COALESCE(teams.team_name, plain.segment_value)
    ELSE
      COALESCE(teams.team_name, plain.segment_value) || ', ' || COALESCE(second_teams.team_name, plain.second_value)
  END AS label
FROM plain
-- Not an AND in the join: of a condition on one side alone DuckDB makes a loop over all pairs.
LEFT JOIN core.teams AS teams ON CASE WHEN plain.dimension = 'team' THEN plain.segment_value END = teams.team_id
LEFT JOIN core.teams AS second_teams
  ON CASE WHEN plain.second_dimension = 'team' THEN plain.second_value END = second_teams.team_id
