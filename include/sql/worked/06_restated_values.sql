-- Grain: one row per weekly value of the whole service that was restated, and night that did it.
-- Which figures did we take back, by how much, and why?
-- Only what had been said as finished is restated; an unfinished week may grow without a word. A value can be restated
-- several times: each row leads from what was said before to what was said after, the newest ends at what stands today.
-- `late_data` changed how many were counted, `correction` what they say; `definition`, `calendar` and `sla` are ours.
SELECT
  restated.restated_at,
  restated.indicator,
  restated.period_start,
  restated.reason,
  restated.said_since,
  restated.sample_count_before,
  restated.sample_count_after,
  restated.value_before,
  restated.value_after,
  restated.value_after - restated.value_before AS difference,
  restated.state_before,
  restated.state_after,
  restated.restated_at = MAX(restated.restated_at) OVER (PARTITION BY restated.indicator, restated.period_start)
    AS is_newest
FROM ops.restatements AS restated
WHERE restated.grain = 'week' AND restated.segment_id = 'all'
ORDER BY restated.restated_at, restated.indicator, restated.period_start
