-- Grain: one row per week, key indicators side by side. For queries by hand; values, intervals
-- and states of all indicators are in indicators.indicator_values.
{% from "macros/overview.sql" import overview, MEASURES with context %}
{{ overview('week', 'all', MEASURES) }}
