-- Grain: one row per measure, period and part of the organisation that another system reported.
-- A share whose numerator exceeds its denominator is impossible: it is here, flagged, and counts in no share.
SELECT
  measurement_id,
  measure,
  measured_date,
  COALESCE(segment, 'unknown') AS part,
  numerator,
  denominator,
  CASE WHEN numerator <= denominator THEN numerator END AS share_numerator,
  CASE WHEN numerator <= denominator THEN denominator END AS share_denominator,
  COALESCE(numerator > denominator, FALSE) AS is_over_one
FROM staging.measurements
WHERE deleted_at IS NULL
