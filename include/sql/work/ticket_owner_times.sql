-- Grain: one row per ticket: how much of its ended time each owner had, by the calendar and in business time.
SELECT
  ticket_number,
  {% for owner in owners if owner != 'closed' %}
  CAST(SUM(CASE WHEN owner = '{{ owner }}' THEN COALESCE(calendar_seconds, 0) ELSE 0 END) AS BIGINT)
    AS {{ owner }}_calendar_seconds,
  CAST(SUM(CASE WHEN owner = '{{ owner }}' THEN COALESCE(business_seconds, 0) ELSE 0 END) AS BIGINT)
    AS {{ owner }}_business_seconds,
  {% endfor %}
  CAST(
    SUM(CASE WHEN assignee_number IS NULL AND owner <> 'closed' THEN COALESCE(calendar_seconds, 0) ELSE 0 END) AS BIGINT
  ) AS unassigned_calendar_seconds,
  CAST(
    SUM(CASE WHEN assignee_number IS NULL AND owner <> 'closed' THEN COALESCE(business_seconds, 0) ELSE 0 END) AS BIGINT
  ) AS unassigned_business_seconds,
  MAX(ended_at) AS last_ended_at,
  MAX(mark_number) AS last_mark_number,
  MAX(CASE WHEN ended_at IS NULL THEN owner END) AS current_owner,
  MAX(CASE WHEN ended_at IS NULL THEN started_at END) AS current_owner_since,
  MAX(CASE WHEN ended_at IS NULL THEN business_seconds_before END) AS current_position
FROM {{ rows('work.ticket_segments') }}
GROUP BY ticket_number
