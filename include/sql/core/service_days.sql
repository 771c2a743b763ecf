-- Grain: one row per service and reporting day of its agreed service up to the run's as_of; the last day is so far.
-- Only what adds up over days: divide sums, never average rates.
{% from "macros/service_figures.sql" import service_figures, service_spans %}
WITH {{ service_spans() }},

periods AS (
  SELECT
    spans.service,
    'day' AS grain,
    days.started_at AS period_at,
    days.started_at,
    LEAST(days.ended_at, spans.ended_at) AS ended_at
  FROM service_spans AS spans
  INNER JOIN core.reporting_days AS days ON spans.started_at < days.ended_at AND days.started_at < spans.ended_at
),

{{ service_figures(sql) }}

SELECT
  figures.service,
  days.reporting_date AS service_date,
  figures.ended_at = days.ended_at AS is_complete,
  figures.planned_calendar_seconds,
  figures.agreed_calendar_seconds,
  figures.down_calendar_seconds,
  figures.up_calendar_seconds,
  figures.outage_started_count,
  figures.outage_count - figures.outage_started_count AS outage_continued_count,
  figures.repair_count,
  figures.repair_calendar_seconds,
  figures.acknowledgement_count,
  figures.acknowledgement_calendar_seconds
FROM service_figures AS figures
INNER JOIN core.reporting_days AS days ON figures.period_at = days.started_at
