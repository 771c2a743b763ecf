-- Grain: one row per questionnaire, what was rated, SERVQUAL dimension, grain (month, quarter) and period.
-- Cronbach's alpha = k / (k - 1) * (1 - sum of the items' variances / variance of their sum), over the sittings that
-- rated all k items. It is not defined for one item, one sitting, or sums that do not vary. `spread` is n (n - 1) times
-- the variance: of whole scores it is whole, so that no order of adding up shows in the last digit.
WITH periods AS (
  SELECT DISTINCT
    {{ sql.period_start('month', 'responded_date') }} AS period_start,
    'month' AS grain,
    responded_date
  FROM core.survey_sittings
  UNION
  SELECT DISTINCT
    {{ sql.period_start('quarter', 'responded_date') }} AS period_start,
    'quarter' AS grain,
    responded_date
  FROM core.survey_sittings
),

ratings AS (
  SELECT
    answers.sitting_id,
    answers.instrument,
    answers.servqual_dimension,
    answers.survey_id,
    rated.rating,
    CASE rated.rating
      WHEN 'perception' THEN answers.score
      WHEN 'expectation' THEN answers.expectation_score
      ELSE answers.item_gap
    END AS score
  FROM core.survey_responses AS answers
  CROSS JOIN (
    SELECT 'perception' AS rating
    UNION ALL
    SELECT 'expectation' AS rating
    UNION ALL
    SELECT 'gap' AS rating
  ) AS rated
  WHERE
    answers.formula IN ('gap', 'performance')
    AND NOT answers.is_unusable
    AND NOT answers.is_deleted
),

sums AS (
  SELECT
    sitting_id,
    instrument,
    servqual_dimension,
    rating,
    COUNT(DISTINCT survey_id) AS rated_item_count,
    SUM(score) AS score_sum
  FROM ratings
  WHERE score IS NOT NULL
  GROUP BY sitting_id, instrument, servqual_dimension, rating
),

complete_sums AS (
  SELECT
    sums.*,
    sittings.item_count,
    periods.grain,
    periods.period_start
  FROM sums
  INNER JOIN core.survey_sittings AS sittings
    ON sums.sitting_id = sittings.sitting_id
    AND sums.instrument = sittings.instrument
    AND sums.servqual_dimension = sittings.servqual_dimension
    AND sums.rated_item_count = sittings.item_count
  INNER JOIN periods ON sittings.responded_date = periods.responded_date
),

item_spreads AS (
  SELECT
    complete_sums.instrument,
    complete_sums.servqual_dimension,
    complete_sums.rating,
    complete_sums.grain,
    complete_sums.period_start,
    ratings.survey_id,
    COUNT(*) * SUM(ratings.score * ratings.score) - SUM(ratings.score) * SUM(ratings.score) AS spread
  FROM complete_sums
  INNER JOIN ratings
    ON complete_sums.sitting_id = ratings.sitting_id
    AND complete_sums.instrument = ratings.instrument
    AND complete_sums.servqual_dimension = ratings.servqual_dimension
    AND complete_sums.rating = ratings.rating
  GROUP BY
    complete_sums.instrument,
    complete_sums.servqual_dimension,
    complete_sums.rating,
    complete_sums.grain,
    complete_sums.period_start,
    ratings.survey_id
),

totals AS (
  SELECT
    instrument,
    servqual_dimension,
    rating,
    grain,
    period_start,
    MAX(item_count) AS item_count,
    COUNT(*) AS respondent_count,
    COUNT(*) * SUM(score_sum * score_sum) - SUM(score_sum) * SUM(score_sum) AS spread
  FROM complete_sums
  GROUP BY instrument, servqual_dimension, rating, grain, period_start
),

item_sums AS (
  SELECT
    instrument,
    servqual_dimension,
    rating,
    grain,
    period_start,
    SUM(spread) AS spread
  FROM item_spreads
  GROUP BY instrument, servqual_dimension, rating, grain, period_start
)

SELECT
  totals.instrument,
  totals.rating,
  totals.servqual_dimension,
  totals.grain,
  totals.period_start,
  totals.item_count,
  totals.respondent_count,
  CASE
    WHEN totals.respondent_count > 1 AND totals.item_count > 1 AND totals.spread > 0
      THEN {{ sql.ratio('totals.item_count', 'totals.item_count - 1') }} * (1 - item_sums.spread / totals.spread)
  END AS alpha
FROM totals
INNER JOIN item_sums
  ON totals.instrument = item_sums.instrument
  AND totals.servqual_dimension = item_sums.servqual_dimension
  AND totals.rating = item_sums.rating
  AND totals.grain = item_sums.grain
  AND totals.period_start = item_sums.period_start
