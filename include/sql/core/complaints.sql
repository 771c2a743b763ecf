-- Grain: one row per ticket that is a complaint, graded by what was known when it came in.
-- On time is elapsed time within the limit, as for service levels; due dates tell in which period it is judged. A date
-- agreed with the customer counts as the new due date where it is the later one.
{% from "macros/ticket_conditions.sql" import ticket_conditions %}
WITH tickets AS (
  SELECT
    tickets.ticket_id,
    work_tickets.ticket_number,
    tickets.source,
    tickets.channel,
    tickets.topic,
    tickets.brand,
    tickets.account_id,
    tickets.first_team_id,
    tickets.created_priority,
    tickets.created_account_tier,
    tickets.created_at,
    tickets.created_date,
    tickets.first_replied_at,
    tickets.solved_at,
    tickets.first_reply_calendar_seconds,
    tickets.first_reply_business_seconds,
    tickets.full_resolution_calendar_seconds,
    tickets.full_resolution_business_seconds,
    tickets.is_deleted,
    tickets.is_merged,
    tickets.is_spam,
    source_tickets.ticket_type,
    source_tickets.agreed_due_at,
    ',' || COALESCE(source_tickets.tags, '') || ',' AS tag_list
  FROM {{ rows('core.tickets') }} AS tickets
  INNER JOIN {{ rows('staging.tickets') }} AS source_tickets ON tickets.ticket_id = source_tickets.ticket_id
  INNER JOIN {{ rows('work.tickets') }} AS work_tickets ON tickets.ticket_id = work_tickets.ticket_id
),

graded AS (
  SELECT
    *,
    CASE
      {% for grade in complaints.grades %}
      WHEN {{ ticket_conditions(sql, grade.conditions, complaint_columns) }} THEN {{ sql.text_list([grade.id]) }}
      {% endfor %}
    END AS grade
  FROM tickets
  WHERE
    {% for conditions in complaints.is_complaint %}
    {{ 'OR ' if not loop.first }}({{ ticket_conditions(sql, conditions, complaint_columns) }})
    {% endfor %}
),

promised AS (
  SELECT
    *,
    {% for promise in ('acknowledge', 'resolve') %}
    CASE grade
      {% for grade in complaints.grades %}
      WHEN {{ sql.text_list([grade.id]) }} THEN {{ grade[promise].seconds }}
      {% endfor %}
    END AS {{ promise }}_seconds,
    CASE grade
      {% for grade in complaints.grades %}
      WHEN {{ sql.text_list([grade.id]) }} THEN {{ 'TRUE' if grade[promise].time == 'business' else 'FALSE' }}
      {% endfor %}
    END AS is_{{ promise }}_business{{ ',' if not loop.last }}
    {% endfor %}
  FROM graded
),

-- A ticket's business line begins at its creation, so that the limit itself is the position at which it is reached.
lined AS (
  SELECT
    *,
    CAST(CASE WHEN is_acknowledge_business THEN acknowledge_seconds END AS BIGINT) AS acknowledge_position,
    CAST(CASE WHEN is_resolve_business THEN resolve_seconds END AS BIGINT) AS resolve_position
  FROM promised
),

placed AS (
  SELECT
    lined.*,
    acknowledge_lines.calendar_number AS acknowledge_calendar_number,
    lined.acknowledge_position - acknowledge_lines.line_offset AS acknowledge_calendar_position,
    resolve_lines.calendar_number AS resolve_calendar_number,
    lined.resolve_position - resolve_lines.line_offset AS resolve_calendar_position
  FROM lined
  LEFT JOIN {{ rows('work.ticket_lines') }} AS acknowledge_lines
    ON lined.ticket_number = acknowledge_lines.ticket_number
    AND lined.acknowledge_position > acknowledge_lines.business_seconds_before
    AND lined.acknowledge_position <= acknowledge_lines.business_seconds_until
  LEFT JOIN {{ rows('work.ticket_lines') }} AS resolve_lines
    ON lined.ticket_number = resolve_lines.ticket_number
    AND lined.resolve_position > resolve_lines.business_seconds_before
    AND lined.resolve_position <= resolve_lines.business_seconds_until
),

dated AS (
  SELECT
    placed.*,
    CASE
      WHEN placed.is_acknowledge_business
        THEN {{ sql.opening_instant('acknowledge_opening', 'placed.acknowledge_calendar_position') }}
      ELSE {{ sql.add_seconds('placed.created_at', 'placed.acknowledge_seconds') }}
    END AS acknowledge_due_at,
    CASE
      WHEN placed.is_resolve_business
        THEN {{ sql.opening_instant('resolve_opening', 'placed.resolve_calendar_position') }}
      ELSE {{ sql.add_seconds('placed.created_at', 'placed.resolve_seconds') }}
    END AS promised_due_at
  FROM placed
  {{ sql.opening_join(
    'acknowledge_opening', 'placed.acknowledge_calendar_number', 'placed.acknowledge_calendar_position', 'earliest'
  ) }}
  {{ sql.opening_join('resolve_opening', 'placed.resolve_calendar_number', 'placed.resolve_calendar_position', 'earliest') }}
),

judged AS (
  SELECT
    *,
    COALESCE(agreed_due_at > promised_due_at, FALSE) AS is_extended,
    CASE WHEN agreed_due_at > promised_due_at THEN agreed_due_at ELSE promised_due_at END AS resolve_due_at,
    CASE WHEN is_acknowledge_business THEN first_reply_business_seconds ELSE first_reply_calendar_seconds END
      AS acknowledge_elapsed_seconds,
    CASE WHEN is_resolve_business THEN full_resolution_business_seconds ELSE full_resolution_calendar_seconds END
      AS resolve_elapsed_seconds
  FROM dated
)

SELECT
  judged.ticket_id,
  judged.grade,
  judged.account_id,
  judged.created_at AS received_at,
  judged.created_date AS received_date,
  judged.acknowledge_due_at,
  {{ sql.reporting_date('judged.acknowledge_due_at', 'acknowledge_day') }} AS acknowledge_due_date,
  judged.first_replied_at AS acknowledged_at,
  judged.resolve_due_at,
  {{ sql.reporting_date('judged.resolve_due_at', 'resolve_day') }} AS resolve_due_date,
  judged.solved_at AS resolved_at,
  judged.is_extended,
  COALESCE(judged.acknowledge_elapsed_seconds <= judged.acknowledge_seconds, FALSE) AS is_acknowledged_on_time,
  COALESCE(judged.resolve_elapsed_seconds <= judged.resolve_seconds, FALSE)
  OR (judged.is_extended AND COALESCE(judged.solved_at <= judged.agreed_due_at, FALSE)) AS is_resolved_on_time,
  judged.channel,
  judged.first_team_id AS team_id,
  judged.created_account_tier AS account_tier,
  judged.is_deleted,
  judged.is_merged,
  judged.is_spam
FROM judged
LEFT JOIN core.reporting_offsets AS acknowledge_day
  ON CAST(judged.acknowledge_due_at AS DATE) = acknowledge_day.utc_date
LEFT JOIN core.reporting_offsets AS resolve_day ON CAST(judged.resolve_due_at AS DATE) = resolve_day.utc_date
