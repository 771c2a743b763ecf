-- Grain: one row per threshold, segment and finished period that the threshold calls a breach.
SELECT
  signals.threshold_id,
  signals.kind,
  signals.indicator,
  signals.grain,
  signals.period_start,
  signals.segment_id,
  segments.label AS segment_label,
  signals.level,
  signals.limit_value,
  signals.value,
  signals.lower_bound,
  signals.upper_bound,
  signals.sample_count,
  signals.is_supported,
  signals.survives_fdr,
  signals.consecutive_count,
  signals.first_breach_start,
  signals.owner,
  signals.limit_reason AS reason
FROM indicators.signals AS signals
LEFT JOIN indicators.segments AS segments ON signals.segment_id = segments.segment_id
WHERE signals.verdict IN ('breach_warning', 'breach_critical')
