-- Grain: one row per ticket, deleted and excluded ones too (they are flagged, never missing).
-- Lifecycle facts come from events where the source says that its events are complete, else from the ticket's own
-- times. All durations are calendar seconds between two instants; nothing here depends on when the run happens.
WITH source_tickets AS (
  SELECT
    *,
    COALESCE(has_complete_events, FALSE) AS is_event_based
  FROM staging.tickets
  WHERE {{ only('ticket_id') }}
),

events AS (
  SELECT
    events.ticket_id,
    events.event_id,
    events.event_type,
    events.occurred_at,
    COALESCE(events.sequence_number, 0) AS sequence_number,
    events.value,
    events.previous_value,
    events.is_public,
    events.is_automatic,
    events.actor_kind,
    events.actor_id
  FROM staging.ticket_events AS events
  INNER JOIN source_tickets ON events.ticket_id = source_tickets.ticket_id
  WHERE source_tickets.is_event_based AND events.deleted_at IS NULL
),

-- Each change with the value before it: what the previous event of its kind left, else what the source says.
changes AS (
  SELECT
    ticket_id,
    event_type,
    occurred_at,
    sequence_number,
    event_id,
    value,
    COALESCE(
      LAG(value) OVER (PARTITION BY ticket_id, event_type ORDER BY occurred_at, sequence_number, event_id),
      previous_value,
      CASE WHEN event_type = 'status' THEN 'new' END
    ) AS value_before
  FROM events
  WHERE event_type IN ('status', 'assignee', 'team', 'priority')
),

transitions AS (
  SELECT
    *,
    event_type = 'status' AND value IN ('solved', 'closed') AND value_before NOT IN ('solved', 'closed') AS is_solving,
    event_type = 'status'
    AND value NOT IN ('solved', 'closed', 'deleted')
    AND value_before IN ('solved', 'closed') AS is_reopening,
    value IS NOT NULL AND value_before IS NOT NULL AND value <> value_before AS is_move
  FROM changes
),

counted_changes AS (
  SELECT
    ticket_id,
    MIN(CASE WHEN is_solving THEN occurred_at END) AS first_solved_at,
    MAX(CASE WHEN is_solving THEN occurred_at END) AS last_solved_at,
    MAX(CASE WHEN event_type = 'status' AND value = 'solved' THEN occurred_at END) AS last_solved_status_at,
    MAX(CASE WHEN event_type = 'status' AND value = 'closed' THEN occurred_at END) AS closed_at,
    COUNT(CASE WHEN is_reopening THEN 1 END) AS reopen_count,
    COUNT(CASE WHEN event_type = 'assignee' AND is_move THEN 1 END) AS reassignment_count,
    COUNT(CASE WHEN event_type = 'team' AND is_move THEN 1 END) AS team_handoff_count
  FROM transitions
  GROUP BY ticket_id
),

-- Newest and oldest value of each kind, and the newest one at the last solution.
ranked_changes AS (
  SELECT
    changes.ticket_id,
    changes.event_type,
    changes.value,
    changes.value_before,
    changes.occurred_at <= counted_changes.last_solved_at AS is_before_solution,
    ROW_NUMBER() OVER (
      PARTITION BY changes.ticket_id, changes.event_type
      ORDER BY changes.occurred_at, changes.sequence_number, changes.event_id
    ) AS rank_from_first,
    ROW_NUMBER() OVER (
      PARTITION BY changes.ticket_id, changes.event_type
      ORDER BY changes.occurred_at DESC, changes.sequence_number DESC, changes.event_id DESC
    ) AS rank_from_last,
    ROW_NUMBER() OVER (
      PARTITION BY
        changes.ticket_id,
        changes.event_type,
        COALESCE(changes.occurred_at <= counted_changes.last_solved_at, FALSE)
      ORDER BY changes.occurred_at DESC, changes.sequence_number DESC, changes.event_id DESC
    ) AS rank_by_solution
  FROM changes
  INNER JOIN counted_changes ON changes.ticket_id = counted_changes.ticket_id
),

first_and_last_values AS (
  SELECT
    ticket_id,
    MAX(CASE WHEN event_type = 'status' AND rank_from_last = 1 THEN value END) AS status,
    MAX(CASE WHEN event_type = 'assignee' AND rank_from_last = 1 THEN value END) AS assignee_id,
    MAX(CASE WHEN event_type = 'team' AND rank_from_last = 1 THEN value END) AS team_id,
    MAX(CASE WHEN event_type = 'team' AND rank_from_first = 1 THEN COALESCE(value_before, value) END) AS first_team_id,
    MAX(CASE WHEN event_type = 'priority' AND rank_from_last = 1 THEN value END) AS priority,
    MAX(
      CASE WHEN event_type = 'priority' AND rank_from_first = 1 THEN COALESCE(value_before, value) END
    ) AS created_priority
  FROM ranked_changes
  GROUP BY ticket_id
),

values_at_solution AS (
  SELECT
    ticket_id,
    MAX(CASE WHEN event_type = 'team' THEN value END) AS solved_team_id,
    MAX(CASE WHEN event_type = 'priority' THEN value END) AS solved_priority
  FROM ranked_changes
  WHERE is_before_solution AND rank_by_solution = 1
  GROUP BY ticket_id
),

values_in_force AS (
  SELECT
    first_and_last_values.*,
    values_at_solution.solved_team_id,
    values_at_solution.solved_priority
  FROM first_and_last_values
  LEFT JOIN values_at_solution ON first_and_last_values.ticket_id = values_at_solution.ticket_id
),

-- The opening message of a ticket that an agent opened is no reply: only what follows the creation counts.
replies AS (
  SELECT
    events.ticket_id,
    MIN(events.occurred_at) AS first_replied_at,
    COUNT(*) AS agent_reply_count
  FROM events
  INNER JOIN source_tickets ON events.ticket_id = source_tickets.ticket_id
  WHERE
    events.event_type = 'reply'
    AND events.actor_kind = 'agent'
    AND COALESCE(events.is_public, TRUE)
    AND NOT COALESCE(events.is_automatic, FALSE)
    AND (events.occurred_at > source_tickets.created_at OR source_tickets.opened_by = 'customer')
  GROUP BY events.ticket_id
),

human_touches AS (
  SELECT
    ticket_id,
    COUNT(CASE WHEN actor_kind = 'bot' THEN 1 END) AS bot_event_count,
    COUNT(CASE WHEN actor_kind = 'agent' THEN 1 END) AS agent_event_count
  FROM events
  GROUP BY ticket_id
),

event_lifecycles AS (
  SELECT
    source_tickets.ticket_id,
    'events' AS lifecycle_basis,
    COALESCE(in_force.status, source_tickets.status) AS status,
    COALESCE(in_force.assignee_id, source_tickets.assignee_id) AS assignee_id,
    COALESCE(in_force.team_id, source_tickets.team_id) AS team_id,
    COALESCE(in_force.first_team_id, source_tickets.team_id) AS first_team_id,
    COALESCE(in_force.solved_team_id, in_force.first_team_id, source_tickets.team_id) AS solved_team_id,
    COALESCE(in_force.priority, source_tickets.priority) AS priority,
    COALESCE(in_force.created_priority, source_tickets.priority) AS created_priority,
    COALESCE(in_force.solved_priority, in_force.created_priority, source_tickets.priority) AS solved_priority,
    replies.first_replied_at,
    counted.first_solved_at,
    counted.last_solved_at,
    counted.closed_at,
    counted.last_solved_status_at IS NULL AND counted.closed_at IS NOT NULL AS is_closed_without_solution,
    COALESCE(replies.agent_reply_count, 0) AS agent_reply_count,
    COALESCE(counted.reopen_count, 0) AS reopen_count,
    COALESCE(counted.reassignment_count, 0) AS reassignment_count,
    COALESCE(counted.team_handoff_count, 0) AS team_handoff_count,
    COALESCE(touches.bot_event_count, 0) > 0 AND COALESCE(touches.agent_event_count, 0) = 0 AS is_bot_only
  FROM source_tickets
  LEFT JOIN counted_changes AS counted ON source_tickets.ticket_id = counted.ticket_id
  LEFT JOIN values_in_force AS in_force ON source_tickets.ticket_id = in_force.ticket_id
  LEFT JOIN replies ON source_tickets.ticket_id = replies.ticket_id
  LEFT JOIN human_touches AS touches ON source_tickets.ticket_id = touches.ticket_id
  WHERE source_tickets.is_event_based
),

timestamp_lifecycles AS (
  SELECT
    ticket_id,
    'timestamps' AS lifecycle_basis,
    status,
    assignee_id,
    team_id,
    team_id AS first_team_id,
    team_id AS solved_team_id,
    priority,
    priority AS created_priority,
    priority AS solved_priority,
    first_replied_at,
    COALESCE(first_solved_at, solved_at, closed_at) AS first_solved_at,
    COALESCE(solved_at, first_solved_at, closed_at) AS last_solved_at,
    closed_at,
    solved_at IS NULL AND first_solved_at IS NULL AND closed_at IS NOT NULL AS is_closed_without_solution,
    CAST(NULL AS INTEGER) AS agent_reply_count,
    reopen_count,
    reassignment_count,
    CAST(NULL AS INTEGER) AS team_handoff_count,
    FALSE AS is_bot_only
  FROM source_tickets
  WHERE NOT is_event_based
),

lifecycles AS (
  SELECT * FROM event_lifecycles
  UNION ALL
  SELECT * FROM timestamp_lifecycles
),

-- A ticket is solved while its status says so; a reopened one has no solution date until it is solved again.
linked_lifecycles AS (
  SELECT
    lifecycles.*,
    CASE WHEN lifecycles.status IN ('solved', 'closed') THEN lifecycles.last_solved_at END AS solved_at,
    source_tickets.source,
    source_tickets.channel,
    source_tickets.topic,
    source_tickets.language,
    source_tickets.customer_id,
    source_tickets.created_at,
    source_tickets.is_sla_met,
    source_tickets.merged_into_ticket_id,
    source_tickets.merged_into_ticket_id IS NOT NULL AS is_merged,
    source_tickets.deleted_at IS NOT NULL OR lifecycles.status = 'deleted' AS is_deleted,
    COALESCE(source_tickets.is_spam, FALSE) AS is_spam,
    COALESCE(source_tickets.is_escalated, FALSE) AS is_escalated,
    COALESCE(own_accounts.account_id, account_links.account_id) AS account_id,
    CASE WHEN own_accounts.account_id IS NOT NULL THEN 'own_account_id' ELSE account_links.rule END AS account_link_rule
  FROM lifecycles
  INNER JOIN source_tickets ON lifecycles.ticket_id = source_tickets.ticket_id
  LEFT JOIN staging.accounts AS own_accounts ON source_tickets.account_id = own_accounts.account_id
  LEFT JOIN core.account_links AS account_links ON source_tickets.customer_id = account_links.source_key
)

SELECT
  tickets.ticket_id,
  tickets.source,
  tickets.lifecycle_basis,
  tickets.status,
  COALESCE(tickets.channel, 'unknown') AS channel,
  COALESCE(tickets.topic, 'unknown') AS topic,
  tickets.language,
  tickets.customer_id,
  tickets.account_id,
  COALESCE(tickets.account_link_rule, 'unlinked') AS account_link_rule,
  COALESCE(created_versions.tier, 'unlinked') AS created_account_tier,
  COALESCE(solved_versions.tier, 'unlinked') AS solved_account_tier,
  COALESCE(accounts.tier, 'unlinked') AS account_tier,
  tickets.assignee_id,
  COALESCE(tickets.team_id, 'unassigned') AS team_id,
  COALESCE(tickets.first_team_id, 'unassigned') AS first_team_id,
  COALESCE(tickets.solved_team_id, 'unassigned') AS solved_team_id,
  COALESCE(tickets.priority, 'unknown') AS priority,
  COALESCE(tickets.created_priority, 'unknown') AS created_priority,
  COALESCE(tickets.solved_priority, 'unknown') AS solved_priority,
  tickets.created_at,
  {{ sql.reporting_date('tickets.created_at', 'created_day') }} AS created_date,
  tickets.first_replied_at,
  {{ sql.reporting_date('tickets.first_replied_at', 'replied_day') }} AS first_replied_date,
  tickets.first_solved_at,
  {{ sql.reporting_date('tickets.first_solved_at', 'first_solved_day') }} AS first_solved_date,
  tickets.solved_at,
  {{ sql.reporting_date('tickets.solved_at', 'solved_day') }} AS solved_date,
  tickets.closed_at,
  {{ sql.seconds_between('tickets.created_at', 'tickets.first_replied_at') }} AS first_reply_calendar_seconds,
  {{ sql.seconds_between('tickets.created_at', 'tickets.first_solved_at') }} AS first_resolution_calendar_seconds,
  {{ sql.seconds_between('tickets.created_at', 'tickets.solved_at') }} AS full_resolution_calendar_seconds,
  tickets.agent_reply_count,
  tickets.reopen_count,
  tickets.reassignment_count,
  tickets.team_handoff_count,
  tickets.is_sla_met,
  tickets.is_escalated,
  tickets.solved_at IS NOT NULL AS is_solved,
  tickets.is_closed_without_solution,
  tickets.is_deleted,
  tickets.is_merged,
  tickets.merged_into_ticket_id,
  tickets.is_spam,
  tickets.is_bot_only
FROM linked_lifecycles AS tickets
LEFT JOIN core.account_versions AS created_versions
  ON tickets.account_id = created_versions.account_id
  AND tickets.created_at >= created_versions.valid_from
  AND tickets.created_at < created_versions.valid_to
LEFT JOIN core.account_versions AS solved_versions
  ON tickets.account_id = solved_versions.account_id
  AND tickets.solved_at >= solved_versions.valid_from
  AND tickets.solved_at < solved_versions.valid_to
LEFT JOIN core.accounts AS accounts ON tickets.account_id = accounts.account_id
LEFT JOIN core.reporting_offsets AS created_day ON CAST(tickets.created_at AS DATE) = created_day.utc_date
LEFT JOIN core.reporting_offsets AS replied_day ON CAST(tickets.first_replied_at AS DATE) = replied_day.utc_date
LEFT JOIN core.reporting_offsets AS first_solved_day
  ON CAST(tickets.first_solved_at AS DATE) = first_solved_day.utc_date
LEFT JOIN core.reporting_offsets AS solved_day ON CAST(tickets.solved_at AS DATE) = solved_day.utc_date
