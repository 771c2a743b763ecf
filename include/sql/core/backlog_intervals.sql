-- Grain: one row per ticket and span of time in which it was open with the same team and priority.
-- A span is half open; an open ticket's last span has no end, so that no stored value grows with time.
WITH open_tickets AS (
  SELECT
    ticket_id,
    lifecycle_basis,
    channel,
    created_account_tier AS account_tier,
    first_team_id,
    team_id,
    solved_team_id,
    created_priority,
    priority,
    created_at,
    first_solved_at,
    solved_at,
    is_deleted,
    is_merged,
    is_spam,
    is_bot_only
  FROM core.tickets
  WHERE {{ only('ticket_id') }}
),

marks AS (
  SELECT
    ticket_id,
    created_at AS marked_at,
    -2 AS sequence_number,
    '' AS event_id,
    'created' AS event_type,
    'new' AS value
  FROM open_tickets
  UNION ALL
  SELECT
    events.ticket_id,
    events.occurred_at AS marked_at,
    COALESCE(events.sequence_number, 0) AS sequence_number,
    events.event_id,
    events.event_type,
    events.value
  FROM staging.ticket_events AS events
  INNER JOIN open_tickets ON events.ticket_id = open_tickets.ticket_id
  WHERE
    open_tickets.lifecycle_basis = 'events'
    AND events.event_type IN ('status', 'team', 'priority')
    AND events.deleted_at IS NULL
    AND events.occurred_at >= open_tickets.created_at
  UNION ALL
  SELECT
    ticket_id,
    solved_at AS marked_at,
    -1 AS sequence_number,
    '' AS event_id,
    'status' AS event_type,
    'solved' AS value
  FROM open_tickets
  WHERE lifecycle_basis = 'timestamps' AND solved_at IS NOT NULL
),

-- The newest status, team and priority at each mark: the number of marks of a kind so far names its group.
grouped_marks AS (
  SELECT
    *,
    COUNT(CASE WHEN event_type IN ('created', 'status') THEN 1 END) OVER by_time AS status_group,
    COUNT(CASE WHEN event_type = 'team' THEN 1 END) OVER by_time AS team_group,
    COUNT(CASE WHEN event_type = 'priority' THEN 1 END) OVER by_time AS priority_group,
    LEAD(marked_at) OVER (
      PARTITION BY ticket_id ORDER BY marked_at, sequence_number, event_type, event_id
    ) AS next_marked_at
  FROM marks
  WINDOW by_time AS (
    PARTITION BY ticket_id ORDER BY marked_at, sequence_number, event_type, event_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
),

spans AS (
  SELECT
    ticket_id,
    marked_at,
    next_marked_at,
    MAX(
      CASE WHEN event_type IN ('created', 'status') THEN value END
    ) OVER (PARTITION BY ticket_id, status_group) AS status,
    team_group,
    MAX(CASE WHEN event_type = 'team' THEN value END) OVER (PARTITION BY ticket_id, team_group) AS team_id,
    priority_group,
    MAX(CASE WHEN event_type = 'priority' THEN value END) OVER (PARTITION BY ticket_id, priority_group) AS priority
  FROM grouped_marks
),

open_spans AS (
  SELECT
    spans.ticket_id,
    spans.marked_at AS opened_at,
    spans.next_marked_at AS ended_at,
    open_tickets.channel,
    open_tickets.account_tier,
    CASE
      WHEN spans.team_group = 0 THEN open_tickets.first_team_id
      ELSE COALESCE(spans.team_id, 'unassigned')
    END AS team_id,
    CASE
      WHEN spans.priority_group = 0 THEN open_tickets.created_priority
      ELSE COALESCE(spans.priority, 'unknown')
    END AS priority,
    open_tickets.is_deleted,
    open_tickets.is_merged,
    open_tickets.is_spam,
    open_tickets.is_bot_only
  FROM spans
  INNER JOIN open_tickets ON spans.ticket_id = open_tickets.ticket_id
  WHERE
    spans.status NOT IN ('solved', 'closed', 'deleted')
    AND (spans.next_marked_at IS NULL OR spans.next_marked_at > spans.marked_at)
)

SELECT
  open_spans.ticket_id,
  open_spans.opened_at,
  {{ sql.reporting_date('open_spans.opened_at', 'opened_day') }} AS opened_date,
  open_spans.ended_at,
  {{ sql.reporting_date('open_spans.ended_at', 'ended_day') }} AS ended_date,
  open_spans.channel,
  open_spans.team_id,
  open_spans.priority,
  open_spans.account_tier,
  open_spans.is_deleted,
  open_spans.is_merged,
  open_spans.is_spam,
  open_spans.is_bot_only
FROM open_spans
LEFT JOIN core.reporting_offsets AS opened_day ON CAST(open_spans.opened_at AS DATE) = opened_day.utc_date
LEFT JOIN core.reporting_offsets AS ended_day ON CAST(open_spans.ended_at AS DATE) = ended_day.utc_date
