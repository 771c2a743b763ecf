-- Grain: one row per indicator, grain, segment and finished period: the one word, and what it stands on.
SELECT
  signals.indicator,
  signals.grain,
  signals.period_start,
  signals.segment_id,
  segments.label AS segment_label,
  signals.verdict,
  signals.reason,
  signals.value,
  signals.lower_bound,
  signals.upper_bound,
  signals.sample_count,
  signals.variation,
  signals.rule,
  signals.pattern_start,
  signals.assurance,
  signals.target,
  signals.centre,
  signals.lower_limit,
  signals.upper_limit,
  signals.phase_start,
  signals.phase_count,
  signals.is_trial,
  signals.owner
FROM indicators.signals AS signals
LEFT JOIN indicators.segments AS segments ON signals.segment_id = segments.segment_id
WHERE signals.kind = 'verdict'
