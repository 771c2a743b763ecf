-- Grain: one row per service (composed ones too), grain (week, month) and period up to the run's as_of.
-- A period in which a service was offered for a part only counts that part; the last period is so far.
{% from "macros/service_figures.sql" import service_figures, service_rates, service_spans %}
WITH {{ service_spans() }},

calendar_periods AS (
  SELECT
    'week' AS grain,
    week_start_date AS period_start_date,
    MIN(started_at) AS started_at,
    MAX(ended_at) AS ended_at
  FROM core.reporting_days
  GROUP BY week_start_date
  UNION ALL
  SELECT
    'month' AS grain,
    month_start_date AS period_start_date,
    MIN(started_at) AS started_at,
    MAX(ended_at) AS ended_at
  FROM core.reporting_days
  GROUP BY month_start_date
),

periods AS (
  SELECT
    spans.service,
    calendar_periods.grain,
    calendar_periods.started_at AS period_at,
    GREATEST(calendar_periods.started_at, spans.started_at) AS started_at,
    LEAST(calendar_periods.ended_at, spans.ended_at) AS ended_at
  FROM service_spans AS spans
  INNER JOIN calendar_periods
    ON spans.started_at < calendar_periods.ended_at AND calendar_periods.started_at < spans.ended_at
),
{{ service_figures(sql) }},
{{ service_rates(sql, services) }}

SELECT
  rates.service,
  rates.basis,
  rates.grain,
  calendar_periods.period_start_date,
  calendar_periods.ended_at <= run_ends.as_of AS is_complete,
  rates.planned_calendar_seconds,
  rates.agreed_calendar_seconds,
  rates.down_calendar_seconds,
  rates.up_calendar_seconds,
  rates.outage_count,
  rates.incident_count,
  rates.repair_count,
  rates.acknowledgement_count,
  rates.availability_ratio,
  rates.mtbf_seconds,
  rates.mtbf_by_incident_seconds,
  rates.mttr_seconds,
  rates.mtta_seconds,
  rates.availability_target,
  rates.allowed_down_seconds
FROM service_rates AS rates
INNER JOIN calendar_periods ON rates.grain = calendar_periods.grain AND rates.period_at = calendar_periods.started_at
CROSS JOIN run_ends
