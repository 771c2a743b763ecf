-- Grain: one row per value that ticket events carry, with a number that stands for it while the refresh lasts.
-- Our own words have fixed numbers (warehouse/ledger.py), so that SQL can compare with them.
WITH carried_values AS (
  SELECT value
  FROM {{ rows('staging.ticket_events') }}
  WHERE event_type IN ('status', 'team', 'assignee', 'priority')
  UNION
  SELECT previous_value AS value
  FROM {{ rows('staging.ticket_events') }}
  WHERE event_type IN ('status', 'team', 'assignee', 'priority') AND previous_value IS NOT NULL
  UNION
  SELECT actor_id AS value
  FROM {{ rows('staging.ticket_events') }}
  WHERE event_type = 'reply' AND actor_kind = 'agent'
  UNION
  SELECT team_id AS value
  FROM {{ rows('work.tickets') }}
  UNION
  SELECT assignee_id AS value
  FROM {{ rows('work.tickets') }}
  {% if ledger.reads_source_status %}
  UNION
  SELECT source_value AS value
  FROM {{ rows('staging.ticket_events') }}
  WHERE event_type = 'status'
  {% endif %}
)

SELECT
  value,
  100 + CAST(ROW_NUMBER() OVER (ORDER BY value) AS INTEGER) AS value_number
FROM carried_values
WHERE value IS NOT NULL AND value NOT IN ({{ sql.text_list(word_numbers) }})
UNION ALL
{% for word, number in word_numbers.items() %}
SELECT
  '{{ word }}' AS value,
  {{ number }} AS value_number
{% if not loop.last %}
UNION ALL
{% endif %}
{% endfor %}
