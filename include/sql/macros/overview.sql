-- Grain: one row per period and segment value of one dimension, key indicators side by side. Durations in minutes, as
-- people say them; NULL where nothing was counted or too few were.
-- A macro is not rendered by itself, so its loop has no indentation to look at.
-- noqa: disable=LT02
{#- overview: SELECT over indicators.indicator_values; measures: column -> (indicator, divisor). #}
{%- macro overview(grain, dimension, measures) %}
WITH shown_values AS (
  SELECT
    stored.period_start,
    stored.indicator,
    stored.state,
    CASE WHEN stored.state <> 'insufficient' THEN stored.value END AS shown,
    segments.segment_value,
    segments.label
  FROM indicators.indicator_values AS stored
  INNER JOIN indicators.segments AS segments ON stored.segment_id = segments.segment_id
  WHERE stored.grain = '{{ grain }}' AND segments.dimension = '{{ dimension }}'
)

SELECT
  period_start,
  {% if dimension != 'all' %}
  segment_value AS {{ 'team_id' if dimension == 'team' else dimension }},
  label AS {{ dimension }}_name,
  {% endif %}
  {% for column, (name, divisor) in measures.items() %}
  MAX(CASE WHEN indicator = '{{ name }}' THEN shown / {{ divisor }} END) AS {{ column }},
  {% endfor %}
  MAX(CASE WHEN state = 'incomplete' THEN 1 ELSE 0 END) = 0 AS is_finished
FROM shown_values
GROUP BY period_start, segment_value, label
{%- endmacro %}
{%- set MEASURES = {
  'ticket_created_count': ('tickets_created', 1.0),
  'ticket_solved_count': ('tickets_solved', 1.0),
  'backlog_count': ('backlog', 1.0),
  'backlog_over_30_days_count': ('backlog_over_30_days', 1.0),
  'backlog_weeks': ('weeks_of_work', 1.0),
  'first_reply_median_business_minutes': ('first_reply_business_median', 60.0),
  'first_reply_p90_business_minutes': ('first_reply_business_p90', 60.0),
  'resolution_median_business_minutes': ('resolution_business_median', 60.0),
  'resolution_p90_business_minutes': ('resolution_business_p90', 60.0),
  'requester_wait_median_business_minutes': ('requester_wait_business_median', 60.0),
  'first_contact_resolution_ratio': ('first_contact_resolution_rate', 1.0),
  'one_touch_ratio': ('one_touch_rate', 1.0),
  'reopen_ratio': ('reopen_rate', 1.0),
  'reassignment_ratio': ('reassignment_rate', 1.0),
  'sla_met_ratio': ('sla_attainment', 1.0),
  'sla_running_late_count': ('sla_running_late', 1.0),
  'csat_top_box_ratio': ('csat_top_box', 1.0),
  'nps_points': ('nps', 1.0),
} %}
