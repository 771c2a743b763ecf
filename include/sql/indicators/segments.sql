-- Grain: one row per segment that any indicator has a value for.
SELECT
  listed.segment_id,
  listed.dimension,
  listed.segment_value,
  CASE
    WHEN listed.segment_id = 'all' THEN 'Whole service'
    WHEN listed.dimension = 'team' THEN COALESCE(teams.team_name, listed.segment_value)
    ELSE listed.segment_value
  END AS label
FROM (
  SELECT DISTINCT
    segment_id,
    SPLIT_PART(segment_id, '=', 1) AS dimension,
    SUBSTR(segment_id, LENGTH(SPLIT_PART(segment_id, '=', 1)) + 2) AS segment_value
  FROM indicators.indicator_values
) AS listed
LEFT JOIN core.teams AS teams ON listed.segment_value = teams.team_id AND listed.dimension = 'team'
