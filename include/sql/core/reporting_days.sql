-- Grain: one row per day of the reporting zone, with the instants at which it starts and ends.
-- A day starts at its first instant: at the midnight of one of the two offsets of a UTC day, or at the switch itself
-- where that jumps over midnight. A date that the zone skipped has no row.
WITH offsets AS (
  SELECT
    {{ sql.cast('utc_date', 'timestamp') }} AS utc_midnight,
    offset_seconds,
    switch_second,
    offset_after_seconds,
    CASE WHEN offset_seconds > 0 THEN 86400 - offset_seconds ELSE -offset_seconds END AS midnight_second,
    CASE WHEN offset_after_seconds > 0 THEN 86400 - offset_after_seconds ELSE -offset_after_seconds
    END AS midnight_after_second
  FROM core.reporting_offsets
),

starts AS (
  SELECT
    {{ sql.add_seconds('utc_midnight', 'midnight_second') }} AS started_at,
    offset_seconds AS shift_seconds
  FROM offsets
  WHERE midnight_second < switch_second
  UNION ALL
  SELECT
    {{ sql.add_seconds('utc_midnight', 'midnight_after_second') }} AS started_at,
    offset_after_seconds AS shift_seconds
  FROM offsets
  WHERE midnight_after_second >= switch_second AND switch_second < 86400
  UNION ALL
  SELECT
    {{ sql.add_seconds('utc_midnight', 'switch_second') }} AS started_at,
    offset_after_seconds AS shift_seconds
  FROM offsets
  WHERE switch_second < 86400
),

first_instants AS (
  SELECT
    CAST({{ sql.add_seconds('started_at', 'shift_seconds') }} AS DATE) AS reporting_date,
    MIN(started_at) AS started_at
  FROM starts
  GROUP BY CAST({{ sql.add_seconds('started_at', 'shift_seconds') }} AS DATE)
),

days AS (
  SELECT
    reporting_date,
    started_at,
    LEAD(started_at) OVER (ORDER BY reporting_date) AS ended_at
  FROM first_instants
)

SELECT
  reporting_date,
  {{ sql.period_start('week', 'reporting_date') }} AS week_start_date,
  {{ sql.period_start('month', 'reporting_date') }} AS month_start_date,
  started_at,
  ended_at
FROM days
WHERE ended_at IS NOT NULL
