-- Grain: one row per ticket, metric and time at which the source set a target, until it set another.
-- Help desks set the first targets seconds after the creation: they count from the creation on.
WITH set_targets AS (
  SELECT
    tickets.ticket_number,
    CASE targets.metric
      {% for metric, number in sla.metrics.items() %}
      WHEN '{{ metric }}' THEN {{ number }}
      {% endfor %}
    END AS metric_number,
    CASE
      WHEN targets.applied_at <= {{ sql.add_seconds('tickets.created_at', '5') }} THEN tickets.created_at
      ELSE targets.applied_at
    END AS valid_from,
    targets.applied_at,
    targets.target_seconds,
    COALESCE(targets.is_business_time, FALSE) AS is_business_time,
    targets.policy,
    targets.sla_target_id
  FROM {{ rows('staging.sla_targets') }} AS targets
  INNER JOIN {{ rows('work.tickets') }} AS tickets ON targets.ticket_id = tickets.ticket_id
  WHERE targets.deleted_at IS NULL
)

SELECT
  ticket_number,
  metric_number,
  valid_from,
  COALESCE(
    LEAD(valid_from) OVER (
      PARTITION BY ticket_number, metric_number ORDER BY valid_from, applied_at, sla_target_id
    ),
    {{ sla.never }}
  ) AS valid_to,
  target_seconds,
  is_business_time,
  policy
FROM set_targets
