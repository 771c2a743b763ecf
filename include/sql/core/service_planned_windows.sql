-- Grain: one row per planned window of one service; announced windows that overlap or touch are one.
SELECT
  service,
  merged_started_at AS started_at,
  CASE WHEN COUNT(*) = COUNT(restored_at) THEN MAX(restored_at) END AS ended_at,
  CAST(COUNT(*) AS INTEGER) AS announcement_count
FROM core.service_interruptions
WHERE is_planned AND NOT is_deleted
GROUP BY service, merged_started_at
