-- Grain: one row per ticket, metric and turn of which an agreement may speak: from when until when time is taken.
-- A clock that waits for a message stops when it comes or when the ticket is closed; one that runs through the life
-- stops when the ticket is closed and goes on when it is opened again.
{#- targeted: the ticket may have a target for the metric; one that no policy asks for only a source can have set. #}
{%- macro targeted(ticket_number, metric) -%}
{% if metric in sla.metrics_asked %}TRUE{% else %}{{ ticket_number }} IN (
      SELECT ticket_number
      FROM {{ rows('work.source_sla_targets') }}
      WHERE metric_number = {{ sla.metrics[metric] }}
    ){% endif %}
{%- endmacro %}
WITH turns AS (
  {% for metric, condition in {'first_reply': 'is_opening', 'next_reply': 'NOT is_opening'}.items() %}
  SELECT
    ticket_number,
    turn_number,
    {{ sla.metrics[metric] }} AS metric_number,
    started_at,
    started_position,
    replied_at,
    replied_position
  FROM {{ rows('work.ticket_turns') }}
  WHERE
    {{ condition }}
    AND {{ targeted('ticket_number', metric) }}
  {% if not loop.last %}
  UNION ALL
  {% endif %}
  {% endfor %}
  {% if 'periodic_update' in sla.metrics_in_use %}
  UNION ALL
  SELECT
    *,
    LEAD(started_at) OVER in_order AS replied_at,
    LEAD(started_position) OVER in_order AS replied_position
  FROM (
    SELECT
      messages.ticket_number,
      CAST(
        ROW_NUMBER() OVER (
          PARTITION BY messages.ticket_number
          ORDER BY messages.sent_at, messages.sequence_number, messages.kind, messages.actor_number
        ) AS INTEGER
      ) AS turn_number,
      {{ sla.metrics.periodic_update }} AS metric_number,
      messages.sent_at AS started_at,
      messages.line_offset + {{ sql.business_position('messages.sent_at', 'days') }} AS started_position
    FROM {{ rows('work.ticket_messages') }} AS messages
    LEFT JOIN core.calendar_days AS days
      ON messages.calendar_number = days.calendar_number AND CAST(messages.sent_at AS DATE) = days.utc_date
    WHERE
      messages.kind IN ({{ kinds.opening }}, {{ kinds.reply }})
      AND {{ targeted('messages.ticket_number', 'periodic_update') }}
  ) AS updates
  WINDOW in_order AS (PARTITION BY ticket_number ORDER BY turn_number)
  {% endif %}
),

-- A message that comes while the ticket is closed begins to wait when the ticket is opened again.
closed_turns AS (
  SELECT
    turns.ticket_number,
    turns.metric_number,
    turns.turn_number,
    MIN(CASE WHEN closures.started_at > turns.started_at THEN closures.started_at END) AS closed_at,
    MIN(CASE WHEN closures.started_at > turns.started_at THEN closures.started_position END) AS closed_position,
    MAX(
      CASE WHEN closures.started_at <= turns.started_at THEN COALESCE(closures.ended_at, {{ sla.never }}) END
    ) AS reopened_at,
    MAX(CASE WHEN closures.started_at <= turns.started_at THEN closures.ended_position END) AS reopened_position
  FROM turns
  INNER JOIN {{ rows('work.ticket_closures') }} AS closures
    ON turns.ticket_number = closures.ticket_number
    AND (closures.ended_at IS NULL OR closures.ended_at > turns.started_at)
  GROUP BY turns.ticket_number, turns.metric_number, turns.turn_number
),

message_clocks AS (
  SELECT
    turns.ticket_number,
    turns.metric_number,
    turns.turn_number,
    CASE
      WHEN closed_turns.reopened_at IS NULL THEN turns.started_at
      WHEN turns.replied_at < closed_turns.reopened_at THEN turns.replied_at
      ELSE closed_turns.reopened_at
    END AS started_at,
    CASE
      WHEN closed_turns.reopened_at IS NULL THEN turns.started_position
      WHEN turns.replied_at < closed_turns.reopened_at THEN turns.replied_position
      ELSE closed_turns.reopened_position
    END AS started_position,
    CASE
      WHEN closed_turns.closed_at < turns.replied_at OR turns.replied_at IS NULL THEN closed_turns.closed_at
      ELSE turns.replied_at
    END AS ended_at,
    CASE
      WHEN closed_turns.closed_at < turns.replied_at OR turns.replied_at IS NULL THEN closed_turns.closed_position
      ELSE turns.replied_position
    END AS ended_position,
    CASE
      WHEN closed_turns.closed_at < turns.replied_at OR turns.replied_at IS NULL
        THEN CASE WHEN closed_turns.closed_at IS NOT NULL THEN 'closing' END
      ELSE 'reply'
    END AS ended_by
  FROM turns
  LEFT JOIN closed_turns
    ON turns.ticket_number = closed_turns.ticket_number
    AND turns.metric_number = closed_turns.metric_number
    AND turns.turn_number = closed_turns.turn_number
)

SELECT *
FROM message_clocks
WHERE started_at < {{ sla.never }}
{% for metric in sla.life_metrics if metric in sla.metrics_in_use %}
UNION ALL
SELECT
  tickets.ticket_number,
  {{ sla.metrics[metric] }} AS metric_number,
  0 AS turn_number,
  tickets.created_at AS started_at,
  CAST(0 AS BIGINT) AS started_position,
  closures.started_at AS ended_at,
  closures.started_position AS ended_position,
  CASE WHEN closures.started_at IS NOT NULL THEN 'closing' END AS ended_by
FROM {{ rows('work.tickets') }} AS tickets
LEFT JOIN {{ rows('work.ticket_closures') }} AS closures
  ON tickets.ticket_number = closures.ticket_number AND closures.is_last
WHERE {{ targeted('tickets.ticket_number', metric) }}
{% endfor %}
