-- Grain: one row per policy, version, metric and reason for which its target applied.
-- Under which version of which promise do we fail, and by how much?
-- Clocks that have ended are judged by the target that was in force then. `applied_by` says what brought that target:
-- the creation, a turn of the customer, a change of team or priority, or the source itself. The excess is the time
-- beyond the target, in the time that the policy counts. What is late just now is in `core.ticket_sla_states`.
SELECT
  policy_id,
  policy_version,
  metric,
  applied_by,
  COUNT(*) AS judged_count,
  COUNT(CASE WHEN state = 'breached' THEN 1 END) AS breached_count,
  COUNT(CASE WHEN state = 'breached' THEN 1 END) / CAST(COUNT(*) AS DOUBLE PRECISION) AS breached_ratio,
  PERCENTILE_CONT(0.5) WITHIN GROUP (
    ORDER BY CASE WHEN state = 'breached' THEN CAST(elapsed_seconds - target_seconds AS DOUBLE PRECISION) END
  ) / 3600 AS median_excess_hours
FROM core.ticket_sla_targets
WHERE
  state IN ('met', 'breached')
  AND NOT is_deleted
  AND NOT is_merged
  AND NOT is_spam
  AND NOT is_bot_only
GROUP BY policy_id, policy_version, metric, applied_by
ORDER BY policy_id, policy_version, metric, applied_by
