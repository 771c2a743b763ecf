-- Grain: one row per service that is declared or that the outage log names.
-- Where nothing says since when it is offered, a service counts from the first day of the whole log.
WITH declared AS (
{%- for service in services.values() if not service.composed_of %}
{%- if not loop.first %}
  UNION ALL
{%- endif %}
  SELECT
    {{ sql.text_list([service.log_name]) }} AS service,
    {{ sql.text_list([service.id]) }} AS service_id,
    {{ sql.text_list([service.title]) }} AS service_title,
    {{ sql.text_list([service.owner]) }} AS owner,
    {{ "DATE '%s'" % service.in_service_from if service.in_service_from else 'CAST(NULL AS DATE)' }} AS in_service_from,
    {{ "DATE '%s'" % service.in_service_to if service.in_service_to else 'CAST(NULL AS DATE)' }} AS in_service_to,
    {{ sql.cast(service.availability_target or 'NULL', 'double') }} AS availability_target
{%- else %}
  SELECT
    CAST(NULL AS VARCHAR) AS service,
    CAST(NULL AS VARCHAR) AS service_id,
    CAST(NULL AS VARCHAR) AS service_title,
    CAST(NULL AS VARCHAR) AS owner,
    CAST(NULL AS DATE) AS in_service_from,
    CAST(NULL AS DATE) AS in_service_to,
    {{ sql.cast('NULL', 'double') }} AS availability_target
  WHERE FALSE
{%- endfor %}
),

log_starts AS (
  SELECT MIN(started_date) AS first_date
  FROM core.service_interruptions
  WHERE NOT is_deleted
),

names AS (
  SELECT service
  FROM declared
  UNION
  SELECT service
  FROM core.service_interruptions
  WHERE NOT is_deleted
),

services AS (
  SELECT
    names.service,
    COALESCE(declared.service_title, names.service) AS service_title,
    declared.service_id,
    declared.owner,
    COALESCE(declared.in_service_from, log_starts.first_date) AS in_service_from_date,
    declared.in_service_to AS in_service_to_date,
    declared.availability_target
  FROM names
  CROSS JOIN log_starts
  LEFT JOIN declared ON names.service = declared.service
)

SELECT
  services.service,
  services.service_id,
  services.service_title,
  services.owner,
  services.in_service_from_date,
  services.in_service_to_date,
  first_days.started_at AS started_at,
  last_days.ended_at AS ended_at,
  services.availability_target
FROM services
LEFT JOIN core.reporting_days AS first_days ON services.in_service_from_date = first_days.reporting_date
LEFT JOIN core.reporting_days AS last_days ON services.in_service_to_date = last_days.reporting_date
