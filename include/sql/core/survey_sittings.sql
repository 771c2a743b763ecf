-- Grain: one row per sitting and SERVQUAL dimension: what one respondent said of one dimension.
-- Items that the respondent left out are left out of his means; a gap needs both perception and expectation of an item.
WITH items AS (
  SELECT
    instrument,
    servqual_dimension,
    COUNT(*) AS item_count
  FROM core.surveys
  WHERE
    formula IN ('gap', 'performance')
    AND contract_fault IS NULL
    AND NOT is_deleted
  GROUP BY instrument, servqual_dimension
),

sittings AS (
  SELECT
    sitting_id,
    instrument,
    formula,
    servqual_dimension,
    MIN(responded_date) AS responded_date,
    MIN(channel) AS channel,
    MIN(team_id) AS team_id,
    MIN(priority) AS priority,
    MIN(account_tier) AS account_tier,
    COUNT(score) AS perceived_item_count,
    COUNT(item_gap) AS compared_item_count,
    AVG(score) AS perception_score,
    AVG(expectation_score) AS expectation_score,
    AVG(item_gap) AS gap
  FROM core.survey_responses
  WHERE
    formula IN ('gap', 'performance')
    AND NOT is_unusable
    AND NOT is_deleted
  GROUP BY sitting_id, instrument, formula, servqual_dimension
)

SELECT
  sittings.sitting_id,
  sittings.instrument,
  sittings.formula,
  sittings.servqual_dimension,
  sittings.responded_date,
  CAST(items.item_count AS INTEGER) AS item_count,
  CAST(sittings.perceived_item_count AS INTEGER) AS perceived_item_count,
  CAST(sittings.compared_item_count AS INTEGER) AS compared_item_count,
  -- Kept to 2^-32 of a point, so that sums over respondents are exact in whatever order they are added up.
  FLOOR(0.5 + 4294967296.0 * sittings.perception_score) / 4294967296.0 AS perception_score,
  FLOOR(0.5 + 4294967296.0 * sittings.expectation_score) / 4294967296.0 AS expectation_score,
  FLOOR(0.5 + 4294967296.0 * sittings.gap) / 4294967296.0 AS gap,
  sittings.channel,
  sittings.team_id,
  sittings.priority,
  sittings.account_tier
FROM sittings
LEFT JOIN items
  ON sittings.instrument = items.instrument
  AND sittings.servqual_dimension = items.servqual_dimension
