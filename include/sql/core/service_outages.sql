-- Grain: one row per outage of one service: unplanned interruptions that overlap or touch are one outage.
WITH outages AS (
  SELECT
    service,
    merged_started_at AS started_at,
    CASE WHEN COUNT(*) = COUNT(restored_at) THEN MAX(restored_at) END AS ended_at,
    CAST(COUNT(*) AS INTEGER) AS incident_count,
    MIN(detected_at) AS detected_at,
    MIN(acknowledged_at) AS acknowledged_at
  FROM core.service_interruptions
  WHERE NOT is_planned AND NOT is_deleted
  GROUP BY service, merged_started_at
),

-- What lies in a planned window is no agreed service time: it is not down.
planned_parts AS (
  SELECT
    outages.service,
    outages.started_at,
    SUM({{ sql.overlap_seconds('planned', 'outages') }}) AS planned_seconds,
    MAX(CASE WHEN planned.started_at <= outages.started_at THEN planned.ended_at END) AS first_down_at,
    COUNT(
      CASE
        WHEN
          outages.started_at >= planned.started_at
          AND (planned.ended_at IS NULL OR outages.ended_at <= planned.ended_at)
          THEN 1
      END
    ) AS covering_count
  FROM outages
  INNER JOIN core.service_planned_windows AS planned
    ON outages.service = planned.service
    AND (outages.ended_at IS NULL OR planned.started_at <= outages.ended_at)
    AND (planned.ended_at IS NULL OR planned.ended_at >= outages.started_at)
  GROUP BY outages.service, outages.started_at
)

SELECT
  outages.service,
  outages.started_at,
  {{ sql.reporting_date('outages.started_at', 'started_day') }} AS started_date,
  CASE
    WHEN COALESCE(planned_parts.covering_count, 0) = 0 THEN COALESCE(planned_parts.first_down_at, outages.started_at)
  END AS first_down_at,
  outages.ended_at,
  {{ sql.reporting_date('outages.ended_at', 'ended_day') }} AS ended_date,
  outages.incident_count,
  outages.detected_at,
  outages.acknowledged_at,
  CASE
    WHEN outages.ended_at IS NOT NULL THEN {{ sql.cast('COALESCE(planned_parts.planned_seconds, 0)', 'bigint') }}
  END AS planned_calendar_seconds,
  CASE
    WHEN outages.ended_at IS NOT NULL
      THEN
        {{ sql.seconds_between('outages.started_at', 'outages.ended_at') }}
        - {{ sql.cast('COALESCE(planned_parts.planned_seconds, 0)', 'bigint') }}
  END AS down_calendar_seconds,
  COALESCE(planned_parts.covering_count, 0) > 0 AS is_within_planned
FROM outages
LEFT JOIN planned_parts ON outages.service = planned_parts.service AND outages.started_at = planned_parts.started_at
LEFT JOIN core.reporting_offsets AS started_day ON CAST(outages.started_at AS DATE) = started_day.utc_date
LEFT JOIN core.reporting_offsets AS ended_day ON CAST(outages.ended_at AS DATE) = ended_day.utc_date
