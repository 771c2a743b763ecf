-- Grain: one row per policy, version, metric and priority (0 for none): what is asked while the version is in force.
SELECT
  asks.*,
  calendars.calendar_number AS named_number
FROM (
  VALUES
  {% for ask in sla.asks %}
  (
    {{ ask.ask_number }}, {{ ask.policy_number }}, {{ ask.metric_number }}, {{ ask.priority_number }},
    {{ ask.valid_from }}, {{ ask.valid_to }}, CAST({{ ask.target_seconds }} AS BIGINT), {{ ask.is_business_time }},
    {{ ask.clock_number }}, {{ sql.text_list([ask.calendar_id]) }}, {{ sql.text_list([ask.policy_id]) }},
    {{ ask.policy_version }}
  ){{ ',' if not loop.last }}
  {% endfor %}
) AS asks (
  ask_number, policy_number, metric_number, priority_number, valid_from, valid_to, target_seconds, is_business_time,
  clock_number, calendar_id, policy_id, policy_version
)
LEFT JOIN core.calendars AS calendars ON asks.calendar_id = calendars.calendar_id
