-- Grain: one row per indicator and week that was finished on the earlier night, for the whole service.
-- What did we say on the night before the newest one, and what do we say now?
-- Of each value the first thing that was said and not yet taken back by then counts: from `ops.restatements` what was
-- replaced only afterwards, else what stands today. Write a time (UTC) in place of `known_at` for another night; from
-- the command line `hansei indicators as-of DATE` answers the same.
WITH asked AS (
  SELECT MAX(as_of) AS known_at
  FROM ops.runs
  WHERE as_of < (SELECT MAX(as_of) FROM ops.runs)
),

taken_back AS (
  SELECT
    restated.indicator,
    restated.period_start,
    restated.value_before,
    restated.sample_count_before,
    restated.state_before,
    restated.said_since,
    restated.reason,
    ROW_NUMBER() OVER (
      PARTITION BY restated.indicator, restated.period_start ORDER BY restated.restated_at, restated.said_since
    ) AS turn
  FROM ops.restatements AS restated
  INNER JOIN asked ON restated.restated_at > asked.known_at
  WHERE restated.grain = 'week' AND restated.segment_id = 'all'
),

standing AS (
  SELECT
    indicator,
    period_start,
    value,
    sample_count,
    state,
    known_since
  FROM indicators.indicator_values
  WHERE grain = 'week' AND segment_id = 'all'
)

SELECT
  COALESCE(taken_back.indicator, standing.indicator) AS indicator,
  COALESCE(taken_back.period_start, standing.period_start) AS period_start,
  CASE WHEN taken_back.turn = 1 THEN taken_back.value_before ELSE standing.value END AS value_then,
  CASE WHEN taken_back.turn = 1 THEN taken_back.sample_count_before ELSE standing.sample_count END
    AS sample_count_then,
  CASE WHEN taken_back.turn = 1 THEN taken_back.state_before ELSE standing.state END AS state_then,
  standing.value AS value_now,
  standing.sample_count AS sample_count_now,
  standing.state AS state_now,
  taken_back.reason AS restated_because
FROM standing
FULL OUTER JOIN (SELECT * FROM taken_back WHERE turn = 1) AS taken_back
  ON standing.indicator = taken_back.indicator
  AND standing.period_start = taken_back.period_start
CROSS JOIN asked
WHERE
  taken_back.said_since <= asked.known_at
  OR (
    taken_back.turn IS NULL
    AND standing.known_since <= asked.known_at
    AND standing.state NOT IN ('incomplete', 'immature')
  )
ORDER BY indicator, period_start
