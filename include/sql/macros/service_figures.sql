-- Grain: one row per service and period: what of `periods` was agreed, planned and down, and what happened in it.
-- `periods` is a CTE of (service, grain, period_at, started_at, ended_at): a period from period_at on, and the part of
-- it that counts, which ends no later than the run's as_of; what lasts is clipped there. Returns CTEs that end in
-- service_figures. Agreed service time is round the clock: for a service with opening hours, the seconds of `lengths`
-- and of the overlaps become differences of positions on its calendar's line.
{#- service_spans: CTEs run_ends and service_spans, since when each service is offered, as far as the run knows it. #}
{%- macro service_spans() %}
run_ends AS (
  SELECT MAX(as_of) AS as_of
  FROM ops.runs
),

service_spans AS (
  SELECT
    services.service,
    services.started_at,
    LEAST(COALESCE(services.ended_at, run_ends.as_of), run_ends.as_of) AS ended_at
  FROM core.services AS services
  CROSS JOIN run_ends
)
{%- endmacro %}
{%- macro service_figures(sql) %}
planned_times AS (
  SELECT
    periods.service,
    periods.grain,
    periods.period_at,
    SUM({{ sql.overlap_seconds('planned', 'periods') }}) AS planned_seconds
  FROM periods
  INNER JOIN core.service_planned_windows AS planned
    ON periods.service = planned.service
    AND planned.started_at < periods.ended_at
    AND (planned.ended_at IS NULL OR planned.ended_at > periods.started_at)
  GROUP BY periods.service, periods.grain, periods.period_at
),

planned_outage_parts AS (
  SELECT
    outages.service,
    outages.started_at AS outage_started_at,
    GREATEST(outages.started_at, planned.started_at) AS started_at,
    CASE
      WHEN outages.ended_at IS NOT NULL OR planned.ended_at IS NOT NULL
        THEN LEAST(COALESCE(outages.ended_at, planned.ended_at), COALESCE(planned.ended_at, outages.ended_at))
    END AS ended_at
  FROM core.service_outages AS outages
  INNER JOIN core.service_planned_windows AS planned
    ON outages.service = planned.service
    AND (outages.ended_at IS NULL OR planned.started_at < outages.ended_at)
    AND (planned.ended_at IS NULL OR planned.ended_at > outages.started_at)
),

planned_outage_times AS (
  SELECT
    periods.service,
    periods.grain,
    periods.period_at,
    parts.outage_started_at,
    SUM({{ sql.overlap_seconds('parts', 'periods') }}) AS planned_seconds
  FROM periods
  INNER JOIN planned_outage_parts AS parts
    ON periods.service = parts.service
    AND parts.started_at < periods.ended_at
    AND (parts.ended_at IS NULL OR parts.ended_at > periods.started_at)
  GROUP BY periods.service, periods.grain, periods.period_at, parts.outage_started_at
),

-- An outage that has no length counts in the period in which it happened.
outage_times AS (
  SELECT
    periods.service,
    periods.grain,
    periods.period_at,
    outages.started_at AS outage_started_at,
    outages.first_down_at >= periods.started_at AND outages.first_down_at < periods.ended_at AS is_first_period,
    COALESCE({{ sql.seconds_between('outages.started_at', 'outages.ended_at') }} = 0, FALSE) AS is_momentary,
    {{ sql.overlap_seconds('outages', 'periods') }} - COALESCE(planned.planned_seconds, 0) AS down_seconds
  FROM periods
  INNER JOIN core.service_outages AS outages
    ON periods.service = outages.service
    AND outages.started_at < periods.ended_at
    AND (outages.ended_at IS NULL OR outages.ended_at > periods.started_at OR outages.started_at >= periods.started_at)
  LEFT JOIN planned_outage_times AS planned
    ON periods.service = planned.service
    AND periods.grain = planned.grain
    AND periods.period_at = planned.period_at
    AND outages.started_at = planned.outage_started_at
  WHERE NOT outages.is_within_planned
),

counted_outages AS (
  SELECT
    service,
    grain,
    period_at,
    outage_started_at,
    is_first_period,
    down_seconds
  FROM outage_times
  WHERE down_seconds > 0 OR (is_momentary AND is_first_period)
),

outage_counts AS (
  SELECT
    service,
    grain,
    period_at,
    COUNT(*) AS outage_count,
    COUNT(CASE WHEN is_first_period THEN 1 END) AS outage_started_count,
    SUM(down_seconds) AS down_seconds
  FROM counted_outages
  GROUP BY service, grain, period_at
),

incidents AS (
  SELECT
    service,
    merged_started_at,
    started_at,
    acknowledged_at,
    restored_at,
    repair_calendar_seconds,
    acknowledgement_calendar_seconds
  FROM core.service_interruptions
  WHERE NOT is_planned AND NOT is_within_planned AND NOT is_deleted
),

incident_counts AS (
  SELECT
    periods.service,
    periods.grain,
    periods.period_at,
    COUNT(*) AS incident_count
  FROM counted_outages
  INNER JOIN periods
    ON counted_outages.service = periods.service
    AND counted_outages.grain = periods.grain
    AND counted_outages.period_at = periods.period_at
  INNER JOIN incidents
    ON counted_outages.service = incidents.service
    AND counted_outages.outage_started_at = incidents.merged_started_at
    AND incidents.started_at < periods.ended_at
    AND (
      incidents.restored_at IS NULL
      OR incidents.restored_at > periods.started_at
      OR incidents.started_at >= periods.started_at
    )
  GROUP BY periods.service, periods.grain, periods.period_at
),

-- What ends on a boundary belongs to the period that it ends.
repairs AS (
  SELECT
    periods.service,
    periods.grain,
    periods.period_at,
    COUNT(*) AS repair_count,
    SUM(incidents.repair_calendar_seconds) AS repair_seconds
  FROM periods
  INNER JOIN incidents
    ON periods.service = incidents.service
    AND incidents.restored_at > periods.started_at
    AND incidents.restored_at <= periods.ended_at
  GROUP BY periods.service, periods.grain, periods.period_at
),

acknowledgements AS (
  SELECT
    periods.service,
    periods.grain,
    periods.period_at,
    COUNT(*) AS acknowledgement_count,
    SUM(incidents.acknowledgement_calendar_seconds) AS acknowledgement_seconds
  FROM periods
  INNER JOIN incidents
    ON periods.service = incidents.service
    AND incidents.acknowledged_at > periods.started_at
    AND incidents.acknowledged_at <= periods.ended_at
  GROUP BY periods.service, periods.grain, periods.period_at
),

lengths AS (
  SELECT
    service,
    grain,
    period_at,
    started_at,
    ended_at,
    {{ sql.seconds_between('started_at', 'ended_at') }} AS length_seconds
  FROM periods
),

service_figures AS (
  SELECT
    lengths.service,
    lengths.grain,
    lengths.period_at,
    lengths.started_at,
    lengths.ended_at,
    {{ sql.cast('COALESCE(planned.planned_seconds, 0)', 'bigint') }} AS planned_calendar_seconds,
    {{ sql.cast('lengths.length_seconds - COALESCE(planned.planned_seconds, 0)', 'bigint') }} AS agreed_calendar_seconds,
    {{ sql.cast('COALESCE(outages.down_seconds, 0)', 'bigint') }} AS down_calendar_seconds,
    {{ sql.cast(
      'lengths.length_seconds - COALESCE(planned.planned_seconds, 0) - COALESCE(outages.down_seconds, 0)', 'bigint'
    ) }} AS up_calendar_seconds,
    COALESCE(outages.outage_count, 0) AS outage_count,
    COALESCE(outages.outage_started_count, 0) AS outage_started_count,
    COALESCE(incidents.incident_count, 0) AS incident_count,
    COALESCE(repairs.repair_count, 0) AS repair_count,
    {{ sql.cast('COALESCE(repairs.repair_seconds, 0)', 'bigint') }} AS repair_calendar_seconds,
    COALESCE(acknowledgements.acknowledgement_count, 0) AS acknowledgement_count,
    {{ sql.cast('COALESCE(acknowledgements.acknowledgement_seconds, 0)', 'bigint') }}
    AS acknowledgement_calendar_seconds
  FROM lengths
  LEFT JOIN planned_times AS planned
    ON lengths.service = planned.service AND lengths.grain = planned.grain AND lengths.period_at = planned.period_at
  LEFT JOIN outage_counts AS outages
    ON lengths.service = outages.service AND lengths.grain = outages.grain AND lengths.period_at = outages.period_at
  LEFT JOIN incident_counts AS incidents
    ON lengths.service = incidents.service AND lengths.grain = incidents.grain AND lengths.period_at = incidents.period_at
  LEFT JOIN repairs
    ON lengths.service = repairs.service AND lengths.grain = repairs.grain AND lengths.period_at = repairs.period_at
  LEFT JOIN acknowledgements
    ON lengths.service = acknowledgements.service AND lengths.grain = acknowledgements.grain AND lengths.period_at = acknowledgements.period_at
)
{%- endmacro %}

{#- Rates of service_figures, divided last (nothing to divide by gives NULL), and the services that stand on others:
    in series all parts have to work, in parallel one of them; parts fail independently. Ends in service_rates. #}
{%- macro service_rates(sql, services) %}
measured_rates AS (
  SELECT
    figures.*,
    {{ sql.ratio('figures.up_calendar_seconds', 'figures.agreed_calendar_seconds') }} AS availability_ratio,
    {{ sql.ratio('figures.up_calendar_seconds', 'figures.outage_count') }} AS mtbf_seconds,
    {{ sql.ratio('figures.up_calendar_seconds', 'figures.incident_count') }} AS mtbf_by_incident_seconds,
    {{ sql.ratio('figures.repair_calendar_seconds', 'figures.repair_count') }} AS mttr_seconds,
    {{ sql.ratio('figures.acknowledgement_calendar_seconds', 'figures.acknowledgement_count') }} AS mtta_seconds,
    targets.availability_target,
    (1 - targets.availability_target) * figures.agreed_calendar_seconds AS allowed_down_seconds
  FROM service_figures AS figures
  INNER JOIN core.services AS targets ON figures.service = targets.service
),

service_rates AS (
  SELECT
    *,
    'measured' AS basis
  FROM measured_rates
{%- for service in services.values() if service.composed_of %}
{%- set factors = [] %}
{%- for part in service.composed_of.services %}
{%- set measured = "MAX(CASE WHEN service = %s THEN availability_ratio END)"
  % sql.text_list([services[part].log_name]) %}
{%- set _ = factors.append(measured if service.composed_of.how == 'series' else '(1 - %s)' % measured) %}
{%- endfor %}
  UNION ALL
  SELECT
    {{ sql.text_list([service.id]) }} AS service,
    grain,
    period_at,
    MIN(started_at) AS started_at,
    MAX(ended_at) AS ended_at,
{%- for name in [
  'planned', 'agreed', 'down', 'up', 'outages', 'started outages', 'incidents', 'repairs', 'repair time',
  'acknowledgements', 'acknowledgement time'
] %}
{{ sql.cast('NULL', 'bigint') }}, -- {{ name }}
{%- endfor %}
{{ '' if service.composed_of.how == 'series' else '1 - ' }}{{ factors | join(' * ') }},
    {{ sql.cast('NULL', 'double') }}, -- mtbf
    {{ sql.cast('NULL', 'double') }}, -- mtbf by incident
    {{ sql.cast('NULL', 'double') }}, -- mttr
    {{ sql.cast('NULL', 'double') }}, -- mtta
    {{ sql.cast(service.availability_target or 'NULL', 'double') }},
    {{ sql.cast('NULL', 'double') }}, -- allowed downtime
    'composed'
  FROM measured_rates
  GROUP BY grain, period_at
{%- endfor %}
)
{%- endmacro %}
