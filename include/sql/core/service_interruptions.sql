-- Grain: one row per interruption of one service as reported: incidents and planned windows, deleted ones too.
-- Interruptions of a kind that overlap or touch leave the service no time to work between them: they are one outage,
-- or one planned window, known by its service and its start (merged_started_at).
WITH interruptions AS (
  SELECT
    outage_id,
    service,
    source,
    cause,
    COALESCE(is_planned, FALSE) AS is_planned,
    deleted_at IS NOT NULL AS is_deleted,
    started_at,
    detected_at,
    acknowledged_at,
    restored_at,
    -- An end that no other end passes, so that one that lasts takes in all that follow.
    COALESCE(restored_at, TIMESTAMP '9999-12-31 00:00:00') AS last_instant,
    -- A fault that was noticed only when it was over has no time of repair of its own: the whole of it counts.
    CASE WHEN detected_at <= restored_at OR restored_at IS NULL THEN detected_at END AS noticed_at
  FROM staging.service_outages
),

reached AS (
  SELECT
    *,
    MAX(last_instant) OVER (
      PARTITION BY service, is_planned, is_deleted ORDER BY started_at, outage_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS reached_at
  FROM interruptions
),

numbered AS (
  SELECT
    *,
    COUNT(CASE WHEN reached_at IS NULL OR started_at > reached_at THEN 1 END) OVER (
      PARTITION BY service, is_planned, is_deleted ORDER BY started_at, outage_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS merged_number
  FROM reached
),

merged AS (
  SELECT
    *,
    MIN(started_at) OVER (PARTITION BY service, is_planned, is_deleted, merged_number) AS merged_started_at,
    MAX(last_instant) OVER (PARTITION BY service, is_planned, is_deleted, merged_number) AS merged_last_instant
  FROM numbered
),

planned_windows AS (
  SELECT DISTINCT
    service,
    merged_started_at,
    merged_last_instant
  FROM merged
  WHERE is_planned AND NOT is_deleted
)

SELECT
  merged.outage_id,
  merged.service,
  merged.source,
  COALESCE(merged.cause, 'unknown') AS cause,
  merged.started_at,
  {{ sql.reporting_date('merged.started_at', 'started_day') }} AS started_date,
  merged.detected_at,
  merged.acknowledged_at,
  {{ sql.reporting_date('merged.acknowledged_at', 'acknowledged_day') }} AS acknowledged_date,
  merged.restored_at,
  {{ sql.reporting_date('merged.restored_at', 'restored_day') }} AS restored_date,
  merged.merged_started_at,
  {{ sql.seconds_between('merged.started_at', 'merged.restored_at') }} AS interruption_calendar_seconds,
  {{ sql.seconds_between('COALESCE(merged.noticed_at, merged.started_at)', 'merged.restored_at') }}
    AS repair_calendar_seconds,
  CASE
    WHEN merged.acknowledged_at < COALESCE(merged.detected_at, merged.started_at) THEN 0
    ELSE {{ sql.seconds_between('COALESCE(merged.detected_at, merged.started_at)', 'merged.acknowledged_at') }}
  END AS acknowledgement_calendar_seconds,
  merged.restored_at IS NULL AS is_open,
  merged.is_planned,
  planned_windows.service IS NOT NULL AS is_within_planned,
  merged.is_deleted
FROM merged
LEFT JOIN planned_windows
  ON NOT merged.is_planned
  AND merged.service = planned_windows.service
  AND merged.started_at >= planned_windows.merged_started_at
  AND merged.last_instant <= planned_windows.merged_last_instant
LEFT JOIN core.reporting_offsets AS started_day ON CAST(merged.started_at AS DATE) = started_day.utc_date
LEFT JOIN core.reporting_offsets AS acknowledged_day
  ON CAST(merged.acknowledged_at AS DATE) = acknowledged_day.utc_date
LEFT JOIN core.reporting_offsets AS restored_day ON CAST(merged.restored_at AS DATE) = restored_day.utc_date
