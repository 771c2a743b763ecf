-- Grain: one row per ticket and span of time in which it followed one calendar.
-- A ticket's business line counts its open seconds from its creation on, across calendars. Within a span the position
-- of an instant on it is line_offset + the instant's position on the span's calendar, so that it never jumps.
WITH
{% if 'team' in calendars.dimensions %}
-- The first change of the team tells which one held the ticket before.
first_teams AS (
  SELECT
    ticket_id,
    previous_value
  FROM (
    SELECT
      ticket_id,
      previous_value,
      ROW_NUMBER() OVER (
        PARTITION BY ticket_id
        ORDER BY occurred_at, COALESCE(sequence_number, 0), COALESCE(value, ''), COALESCE(previous_value, '')
      ) AS team_rank
    FROM {{ rows('staging.ticket_events') }}
    WHERE event_type = 'team' AND deleted_at IS NULL
  ) AS ranked_teams
  WHERE team_rank = 1
),
{% endif %}

marks AS (
  SELECT
    tickets.ticket_number,
    tickets.created_at AS marked_at,
    0 AS mark_order,
    CAST(NULL AS INTEGER) AS named_number,
    {% if 'team' in calendars.dimensions %}
    CASE WHEN first_teams.ticket_id IS NULL THEN tickets.team_id ELSE first_teams.previous_value END AS team_id,
    {% else %}
    tickets.team_id,
    {% endif %}
    CAST(0 AS BIGINT) AS sequence_number
  FROM {{ rows('work.tickets') }} AS tickets
  {% if 'team' in calendars.dimensions %}
  LEFT JOIN first_teams ON tickets.ticket_id = first_teams.ticket_id AND tickets.is_event_based
  {% endif %}
  UNION ALL
  -- Help desks name the calendar seconds after the creation: it counts from the creation on.
  SELECT
    tickets.ticket_number,
    CASE
      WHEN events.occurred_at <= {{ sql.add_seconds('tickets.created_at', '5') }} THEN tickets.created_at
      ELSE events.occurred_at
    END AS marked_at,
    1 AS mark_order,
    calendars.calendar_number AS named_number,
    CAST(NULL AS VARCHAR) AS team_id,
    {{ sql.sequence_since('events', 'tickets.created_at') }} AS sequence_number
  FROM {{ rows('staging.ticket_events') }} AS events
  INNER JOIN {{ rows('work.tickets') }} AS tickets ON events.ticket_id = tickets.ticket_id
  INNER JOIN core.calendars AS calendars ON events.value = calendars.calendar_id
  WHERE events.event_type = 'calendar' AND events.deleted_at IS NULL
  {% if 'team' in calendars.dimensions %}
  UNION ALL
  SELECT
    tickets.ticket_number,
    CASE WHEN events.occurred_at < tickets.created_at THEN tickets.created_at ELSE events.occurred_at END AS marked_at,
    2 AS mark_order,
    CAST(NULL AS INTEGER) AS named_number,
    COALESCE(events.value, '') AS team_id,
    {{ sql.sequence_since('events', 'tickets.created_at') }} AS sequence_number
  FROM {{ rows('staging.ticket_events') }} AS events
  INNER JOIN {{ rows('work.tickets') }} AS tickets ON events.ticket_id = tickets.ticket_id
  WHERE events.event_type = 'team' AND tickets.is_event_based AND events.deleted_at IS NULL
  {% endif %}
  {% if calendars.has_history and service.calendar_change != 'last' %}
  UNION ALL
  -- A calendar that is followed from a date on cuts every ticket that was there before.
  SELECT
    tickets.ticket_number,
    starts.valid_from AS marked_at,
    3 AS mark_order,
    CAST(NULL AS INTEGER) AS named_number,
    CAST(NULL AS VARCHAR) AS team_id,
    CAST(0 AS BIGINT) AS sequence_number
  FROM {{ rows('work.tickets') }} AS tickets
  INNER JOIN (
    SELECT DISTINCT valid_from
    FROM core.calendar_assignments
    WHERE valid_from > TIMESTAMP '1970-01-02 00:00:00'
  ) AS starts ON tickets.created_at < starts.valid_from
  {% endif %}
),

carried_marks AS (
  SELECT
    ticket_number,
    marked_at,
    LEAD(marked_at) OVER in_order AS next_marked_at,
    {{ sql.carried('named_number', 'up_to_here') }} AS named_number,
    {{ sql.carried('team_id', 'up_to_here') }} AS team_id
  FROM marks
  WINDOW
    in_order AS (PARTITION BY ticket_number ORDER BY marked_at, mark_order, sequence_number, named_number, team_id),
    up_to_here AS (
      PARTITION BY ticket_number
      ORDER BY marked_at, mark_order, sequence_number, named_number, team_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
),

-- What the ticket itself names comes first, then the dimensions in their order, then the source, then the service.
assigned_marks AS (
  SELECT
    carried_marks.ticket_number,
    carried_marks.marked_at,
    carried_marks.next_marked_at,
    COALESCE(
      carried_marks.named_number,
      {% for dimension in calendars.dimensions %}
      of_{{ dimension }}.calendar_number,
      {% endfor %}
      of_service.calendar_number
    ) AS calendar_number
  FROM carried_marks
  INNER JOIN {{ rows('work.tickets') }} AS tickets ON carried_marks.ticket_number = tickets.ticket_number
  {% if 'account' in calendars.dimensions %}
  LEFT JOIN staging.accounts AS own_accounts ON tickets.account_id = own_accounts.account_id
  LEFT JOIN core.account_links AS account_links ON tickets.customer_id = account_links.source_key
  {% endif %}
  {% for dimension in calendars.dimensions %}
  LEFT JOIN core.calendar_assignments AS of_{{ dimension }}
    ON of_{{ dimension }}.dimension = '{{ dimension }}'
    AND of_{{ dimension }}.value = {{ calendars.column_of[dimension] }}
    AND carried_marks.marked_at >= of_{{ dimension }}.valid_from
    AND carried_marks.marked_at < of_{{ dimension }}.valid_to
  {% endfor %}
  LEFT JOIN core.calendar_assignments AS of_service
    ON of_service.dimension = 'default'
    AND carried_marks.marked_at >= of_service.valid_from
    AND carried_marks.marked_at < of_service.valid_to
  WHERE carried_marks.next_marked_at IS NULL OR carried_marks.next_marked_at > carried_marks.marked_at
),

{% if service.calendar_change == 'last' %}
-- As some vendors do: the calendar of the end counts for the ticket's whole life.
spans AS (
  SELECT
    tickets.ticket_number,
    tickets.created_at AS valid_from,
    CAST(NULL AS TIMESTAMP) AS next_valid_from,
    assigned_marks.calendar_number
  FROM assigned_marks
  INNER JOIN {{ rows('work.tickets') }} AS tickets ON assigned_marks.ticket_number = tickets.ticket_number
  WHERE assigned_marks.next_marked_at IS NULL
),
{% else %}
spans AS (
  SELECT
    ticket_number,
    marked_at AS valid_from,
    next_marked_at AS next_valid_from,
    calendar_number
  FROM assigned_marks
),
{% endif %}

positions AS (
  SELECT
    spans.*,
    {{ sql.business_position('spans.valid_from', 'first_days') }} AS first_position,
    {{ sql.business_position('spans.next_valid_from', 'last_days') }} AS last_position
  FROM spans
  LEFT JOIN core.calendar_days AS first_days
    ON spans.calendar_number = first_days.calendar_number AND CAST(spans.valid_from AS DATE) = first_days.utc_date
  LEFT JOIN core.calendar_days AS last_days
    ON spans.calendar_number = last_days.calendar_number AND CAST(spans.next_valid_from AS DATE) = last_days.utc_date
),

lengths AS (
  SELECT
    *,
    CAST(
      COALESCE(
        SUM(last_position - first_position) OVER (
          PARTITION BY ticket_number ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        0
      ) AS BIGINT
    ) AS business_seconds_before
  FROM positions
)

SELECT
  lengths.ticket_number,
  tickets.ticket_id,
  tickets.created_at,
  tickets.is_event_based,
  lengths.valid_from = tickets.created_at AS is_first,
  lengths.valid_from,
  COALESCE(lengths.next_valid_from, TIMESTAMP '2070-01-01 00:00:00') AS valid_to,
  lengths.calendar_number,
  lengths.business_seconds_before,
  -- No line is ever so long: an end that is missing would make joins compare with an OR, which no hash join can.
  COALESCE(
    lengths.business_seconds_before + lengths.last_position - lengths.first_position, 9000000000000
  ) AS business_seconds_until,
  lengths.business_seconds_before - lengths.first_position AS line_offset
FROM lengths
INNER JOIN {{ rows('work.tickets') }} AS tickets ON lengths.ticket_number = tickets.ticket_number
