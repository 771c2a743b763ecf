-- Grain: one row per benchmark, segment and finished month of its indicator.
-- Equal is not below. A month without a value, with too few counted, or missing altogether breaks the run (METHODS.md
-- 1.3), unless the benchmark says that such months are skipped.
WITH compared AS (
  SELECT
    benchmarks.benchmark_id,
    months.indicator,
    months.segment_id,
    months.period_start,
    months.value,
    months.sample_count,
    benchmarks.value AS benchmark_value,
    benchmarks.source AS benchmark_source,
    benchmarks.consecutive_months,
    benchmarks.is_missing_month_skipped,
    benchmarks.action,
    months.value IS NULL OR COALESCE(months.sample_count, 0) < benchmarks.minimum_count AS is_insufficient,
    CASE
      WHEN benchmarks.is_lower_better THEN months.value > benchmarks.value
      ELSE months.value < benchmarks.value
    END AS is_worse,
    -- A segment's own benchmark goes before that of the whole service.
    ROW_NUMBER() OVER (
      PARTITION BY benchmarks.benchmark_id, months.segment_id, months.period_start
      ORDER BY CASE WHEN benchmarks.segment_id = months.segment_id THEN 0 ELSE 1 END, benchmarks.segment_id
    ) AS choice
  FROM indicators.indicator_values AS months
  INNER JOIN core.benchmarks AS benchmarks
    ON months.indicator = benchmarks.indicator
    AND months.period_start >= benchmarks.valid_from_date
    AND months.period_start < benchmarks.valid_to_date
    AND (benchmarks.segment_id = months.segment_id OR benchmarks.segment_id = 'all')
  WHERE
    months.grain = 'month'
    AND months.state NOT IN ('incomplete', 'immature')
),

judged AS (
  SELECT
    compared.*,
    NOT is_insufficient AND is_worse AS is_below,
    LAG(period_start) OVER (PARTITION BY benchmark_id, segment_id ORDER BY period_start) AS month_before
  FROM compared
  WHERE choice = 1
),

runs AS (
  SELECT
    judged.*,
    SUM(
      CASE
        WHEN is_below AND (is_missing_month_skipped OR month_before = CAST(period_start - INTERVAL '1 month' AS DATE))
          THEN 0
        WHEN is_insufficient AND is_missing_month_skipped THEN 0
        ELSE 1
      END
    ) OVER (
      PARTITION BY benchmark_id, segment_id
      ORDER BY period_start
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS run_number
  FROM judged
),

counted AS (
  SELECT
    runs.*,
    CAST(
      SUM(CASE WHEN is_below THEN 1 ELSE 0 END) OVER (
        PARTITION BY benchmark_id, segment_id, run_number
        ORDER BY period_start
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS INTEGER
    ) AS consecutive_count
  FROM runs
)

SELECT
  benchmark_id,
  indicator,
  segment_id,
  period_start,
  value,
  sample_count,
  benchmark_value,
  benchmark_source,
  is_insufficient,
  is_below,
  consecutive_count,
  is_below AND consecutive_count >= consecutive_months AS is_triggered,
  is_below AND consecutive_count = consecutive_months AS is_newly_triggered,
  action
FROM counted
