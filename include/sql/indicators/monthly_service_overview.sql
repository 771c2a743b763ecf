-- Grain: one row per month, key indicators side by side. For queries by hand; values, intervals
-- and states of all indicators are in indicators.indicator_values.
{% from "macros/overview.sql" import overview, MEASURES with context %}
{{ overview('month', 'all', MEASURES) }}
