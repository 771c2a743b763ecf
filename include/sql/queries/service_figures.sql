-- Grain: one row per service (composed ones too) that was offered in the period, which is clipped at the run's as_of.
{% from "macros/service_figures.sql" import service_figures, service_rates %}
WITH run_ends AS (
  SELECT MAX(as_of) AS as_of
  FROM ops.runs
),

periods AS (
  SELECT
    services.service,
    'period' AS grain,
    TIMESTAMP '{{ period_start }}' AS period_at,
    GREATEST(TIMESTAMP '{{ period_start }}', services.started_at) AS started_at,
    LEAST(
      TIMESTAMP '{{ period_end }}',
      COALESCE(services.ended_at, TIMESTAMP '{{ period_end }}'),
      run_ends.as_of
    ) AS ended_at
  FROM core.services AS services
  CROSS JOIN run_ends
  WHERE
    services.started_at < TIMESTAMP '{{ period_end }}'
    AND (services.ended_at IS NULL OR services.ended_at > TIMESTAMP '{{ period_start }}')
    AND run_ends.as_of > GREATEST(TIMESTAMP '{{ period_start }}', services.started_at)
),

{{ service_figures(sql) }},

{{ service_rates(sql, services) }}

SELECT
  service,
  basis,
  started_at,
  ended_at,
  planned_calendar_seconds,
  agreed_calendar_seconds,
  down_calendar_seconds,
  up_calendar_seconds,
  outage_count,
  incident_count,
  repair_count,
  acknowledgement_count,
  availability_ratio,
  mtbf_seconds,
  mtbf_by_incident_seconds,
  mttr_seconds,
  mtta_seconds,
  availability_target,
  allowed_down_seconds
FROM service_rates
ORDER BY service
