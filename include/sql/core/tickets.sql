-- Grain: one row per ticket, deleted and excluded ones too (they are flagged, never missing).
-- Lifecycle facts come from events where the source says that its events are complete, else from the ticket's own
-- times. Times that owners had are those of ended spans: nothing here depends on when the run happens.
WITH move_counts AS (
  SELECT
    ticket_number,
    CAST(COUNT(CASE WHEN kind = {{ kinds.assignee }} AND value_number <> value_number_before THEN 1 END) AS INTEGER)
      AS reassignment_count,
    CAST(COUNT(CASE WHEN kind = {{ kinds.team }} AND value_number <> value_number_before THEN 1 END) AS INTEGER)
      AS team_handoff_count,
    CAST(COUNT(CASE WHEN kind = {{ kinds.team }} AND is_return THEN 1 END) AS INTEGER) AS ping_pong_count
  FROM {{ rows('work.ticket_moves') }}
  GROUP BY ticket_number
),

-- Without events a first solution may be stated that no mark of the ledger tells.
stated_first_solutions AS (
  SELECT
    tickets.ticket_number,
    lines.line_offset + {{ sql.business_position('tickets.stated_first_solved_at', 'days') }} AS first_solved_position
  FROM {{ rows('work.tickets') }} AS tickets
  INNER JOIN {{ rows('work.ticket_lines') }} AS lines
    ON tickets.ticket_number = lines.ticket_number
    AND tickets.stated_first_solved_at >= lines.valid_from
    AND tickets.stated_first_solved_at < lines.valid_to
  LEFT JOIN core.calendar_days AS days
    ON lines.calendar_number = days.calendar_number AND CAST(tickets.stated_first_solved_at AS DATE) = days.utc_date
  WHERE NOT tickets.is_event_based AND tickets.stated_first_solved_at <> tickets.stated_solved_at
),

-- Few tickets ever see a bot: agents are looked for among those alone.
bot_tickets AS (
  SELECT DISTINCT ticket_id
  FROM {{ rows('staging.ticket_events') }}
  WHERE actor_kind = 'bot' AND deleted_at IS NULL
),

bot_only_tickets AS (
  SELECT bot_tickets.ticket_id
  FROM bot_tickets
  LEFT JOIN (
    SELECT DISTINCT events.ticket_id
    FROM {{ rows('staging.ticket_events') }} AS events
    INNER JOIN bot_tickets ON events.ticket_id = bot_tickets.ticket_id
    WHERE events.actor_kind = 'agent' AND events.deleted_at IS NULL
  ) AS agent_tickets ON bot_tickets.ticket_id = agent_tickets.ticket_id
  WHERE agent_tickets.ticket_id IS NULL
),

event_lifecycles AS (
  SELECT
    tickets.ticket_number,
    COALESCE(statuses.value, tickets.status) AS status,
    CASE WHEN states.last_assignee_number IS NULL THEN tickets.assignee_id ELSE assignees.value END AS assignee_id,
    CASE WHEN states.last_team_number IS NULL THEN tickets.team_id ELSE teams.value END AS team_id,
    COALESCE(first_teams.value, tickets.team_id) AS first_team_id,
    COALESCE(solving_teams.value, first_teams.value, tickets.team_id) AS solved_team_id,
    COALESCE(priorities.value, tickets.priority) AS priority,
    COALESCE(first_priorities.value, tickets.priority) AS created_priority,
    COALESCE(solving_priorities.value, first_priorities.value, tickets.priority) AS solved_priority,
    states.first_solved_at,
    states.first_solved_position,
    states.last_solved_at,
    states.last_solved_position,
    states.closed_at,
    NOT states.was_solved AND states.closed_at IS NOT NULL AS is_closed_without_solution,
    states.solution_count,
    states.reopen_count,
    states.assignee_station_count,
    states.team_station_count
  FROM {{ rows('work.ticket_states') }} AS states
  INNER JOIN {{ rows('work.tickets') }} AS tickets ON states.ticket_number = tickets.ticket_number
  LEFT JOIN {{ rows('work.event_values') }} AS statuses ON states.last_status_number = statuses.value_number
  LEFT JOIN {{ rows('work.event_values') }} AS assignees ON states.last_assignee_number = assignees.value_number
  LEFT JOIN {{ rows('work.event_values') }} AS teams ON states.last_team_number = teams.value_number
  LEFT JOIN {{ rows('work.event_values') }} AS first_teams
    ON COALESCE(states.initial_team_number, states.first_team_number) = first_teams.value_number
  LEFT JOIN {{ rows('work.event_values') }} AS solving_teams
    ON states.solving_team_number = solving_teams.value_number
  LEFT JOIN {{ rows('work.event_values') }} AS priorities ON states.last_priority_number = priorities.value_number
  LEFT JOIN {{ rows('work.event_values') }} AS first_priorities
    ON COALESCE(states.initial_priority_number, states.first_priority_number) = first_priorities.value_number
  LEFT JOIN {{ rows('work.event_values') }} AS solving_priorities
    ON states.solving_priority_number = solving_priorities.value_number
  WHERE tickets.is_event_based
),

lifecycles AS (
  SELECT
    event_lifecycles.*,
    'events' AS lifecycle_basis
  FROM event_lifecycles
  UNION ALL
  SELECT
    tickets.ticket_number,
    tickets.status,
    tickets.assignee_id,
    tickets.team_id,
    tickets.team_id AS first_team_id,
    tickets.team_id AS solved_team_id,
    tickets.priority,
    tickets.priority AS created_priority,
    tickets.priority AS solved_priority,
    tickets.stated_first_solved_at AS first_solved_at,
    COALESCE(stated_first_solutions.first_solved_position, states.last_solved_position) AS first_solved_position,
    tickets.stated_solved_at AS last_solved_at,
    states.last_solved_position,
    tickets.stated_closed_at AS closed_at,
    tickets.has_no_solution AS is_closed_without_solution,
    CAST(NULL AS INTEGER) AS solution_count,
    tickets.stated_reopen_count AS reopen_count,
    CAST(NULL AS INTEGER) AS assignee_station_count,
    CAST(NULL AS INTEGER) AS team_station_count,
    'timestamps' AS lifecycle_basis
  FROM {{ rows('work.tickets') }} AS tickets
  INNER JOIN {{ rows('work.ticket_states') }} AS states ON tickets.ticket_number = states.ticket_number
  LEFT JOIN stated_first_solutions ON tickets.ticket_number = stated_first_solutions.ticket_number
  WHERE NOT tickets.is_event_based
),

-- A ticket is solved while its status says so; a reopened one has no solution date until it is solved again.
linked_lifecycles AS (
  SELECT
    lifecycles.*,
    CASE WHEN lifecycles.status IN ('solved', 'closed') THEN lifecycles.last_solved_at END AS solved_at,
    CASE WHEN lifecycles.status IN ('solved', 'closed') THEN lifecycles.last_solved_position END AS solved_position,
    tickets.ticket_id,
    tickets.source,
    tickets.channel,
    tickets.brand,
    tickets.topic,
    tickets.language,
    tickets.customer_id,
    tickets.opened_by,
    tickets.created_at,
    tickets.is_sla_met,
    tickets.stated_reassignment_count,
    tickets.merged_into_ticket_id,
    tickets.merged_into_ticket_id IS NOT NULL AS is_merged,
    tickets.deleted_at IS NOT NULL OR lifecycles.status = 'deleted' AS is_deleted,
    tickets.is_spam,
    tickets.is_escalated,
    COALESCE(own_accounts.account_id, account_links.account_id) AS account_id,
    CASE WHEN own_accounts.account_id IS NOT NULL THEN 'own_account_id' ELSE account_links.rule END AS account_link_rule
  FROM lifecycles
  INNER JOIN {{ rows('work.tickets') }} AS tickets ON lifecycles.ticket_number = tickets.ticket_number
  LEFT JOIN staging.accounts AS own_accounts ON tickets.account_id = own_accounts.account_id
  LEFT JOIN core.account_links AS account_links ON tickets.customer_id = account_links.source_key
)

SELECT
  tickets.ticket_id,
  tickets.source,
  tickets.lifecycle_basis,
  tickets.status,
  COALESCE(tickets.channel, 'unknown') AS channel,
  COALESCE(tickets.brand, 'unknown') AS brand,
  COALESCE(tickets.topic, 'unknown') AS topic,
  tickets.language,
  tickets.customer_id,
  COALESCE(tickets.customer_id, 'ticket ' || tickets.ticket_id) AS contact_key,
  tickets.opened_by,
  tickets.account_id,
  COALESCE(tickets.account_link_rule, 'unlinked') AS account_link_rule,
  COALESCE(created_versions.tier, 'unlinked') AS created_account_tier,
  COALESCE(solved_versions.tier, 'unlinked') AS solved_account_tier,
  COALESCE(accounts.tier, 'unlinked') AS account_tier,
  COALESCE(created_versions.owner, 'unlinked') AS created_account_owner,
  COALESCE(solved_versions.owner, 'unlinked') AS solved_account_owner,
  tickets.assignee_id,
  COALESCE(tickets.team_id, 'unassigned') AS team_id,
  COALESCE(tickets.first_team_id, 'unassigned') AS first_team_id,
  COALESCE(tickets.solved_team_id, 'unassigned') AS solved_team_id,
  COALESCE(tickets.priority, 'unknown') AS priority,
  COALESCE(tickets.created_priority, 'unknown') AS created_priority,
  COALESCE(tickets.solved_priority, 'unknown') AS solved_priority,
  tickets.created_at,
  {{ sql.reporting_date('tickets.created_at', 'created_day') }} AS created_date,
  turns.first_replied_at,
  {{ sql.reporting_date('turns.first_replied_at', 'replied_day') }} AS first_replied_date,
  tickets.first_solved_at,
  {{ sql.reporting_date('tickets.first_solved_at', 'first_solved_day') }} AS first_solved_date,
  tickets.solved_at,
  {{ sql.reporting_date('tickets.solved_at', 'solved_day') }} AS solved_date,
  tickets.closed_at,
  {{ sql.seconds_between('tickets.created_at', 'turns.first_replied_at') }} AS first_reply_calendar_seconds,
  turns.first_replied_position AS first_reply_business_seconds,
  {{ sql.seconds_between('tickets.created_at', 'tickets.first_solved_at') }} AS first_resolution_calendar_seconds,
  tickets.first_solved_position AS first_resolution_business_seconds,
  {{ sql.seconds_between('tickets.created_at', 'tickets.solved_at') }} AS full_resolution_calendar_seconds,
  tickets.solved_position AS full_resolution_business_seconds,
  CASE WHEN tickets.lifecycle_basis = 'events' THEN turns.next_reply_count END AS next_reply_count,
  CASE WHEN tickets.lifecycle_basis = 'events' THEN turns.next_reply_calendar_seconds END
    AS next_reply_calendar_seconds,
  CASE WHEN tickets.lifecycle_basis = 'events' THEN turns.next_reply_business_seconds END
    AS next_reply_business_seconds,
  {% for owner in owners if owner != 'closed' %}
  owner_times.{{ owner }}_calendar_seconds,
  owner_times.{{ owner }}_business_seconds,
  {% endfor %}
  {% for measure, counted in summed_owners.items() %}
  {% for time in ('calendar', 'business') %}
  {{ owner_sum(counted, time) }} AS {{ measure }}_{{ time }}_seconds,
  {% endfor %}
  {% endfor %}
  owner_times.unassigned_calendar_seconds,
  owner_times.unassigned_business_seconds,
  CASE WHEN tickets.lifecycle_basis = 'events' THEN counts.agent_reply_count END AS agent_reply_count,
  CASE WHEN tickets.lifecycle_basis = 'events' THEN counts.agent_comment_count END AS agent_comment_count,
  CASE WHEN tickets.lifecycle_basis = 'events' THEN counts.replying_agent_count END AS replying_agent_count,
  CASE WHEN tickets.lifecycle_basis = 'events' THEN counts.commenting_agent_count END AS commenting_agent_count,
  CASE WHEN tickets.lifecycle_basis = 'events' THEN counts.internal_note_count END AS internal_note_count,
  CASE WHEN tickets.lifecycle_basis = 'events' THEN counts.customer_message_count END AS customer_message_count,
  tickets.solution_count,
  tickets.reopen_count,
  CASE
    WHEN tickets.lifecycle_basis = 'events' THEN COALESCE(move_counts.reassignment_count, 0)
    ELSE tickets.stated_reassignment_count
  END AS reassignment_count,
  CASE WHEN tickets.lifecycle_basis = 'events' THEN COALESCE(move_counts.team_handoff_count, 0) END
    AS team_handoff_count,
  CASE WHEN tickets.lifecycle_basis = 'events' THEN COALESCE(move_counts.ping_pong_count, 0) END AS ping_pong_count,
  tickets.assignee_station_count,
  tickets.team_station_count,
  CASE
    WHEN tickets.lifecycle_basis = 'events' THEN counts.agent_comment_count = 1 AND tickets.last_solved_at IS NOT NULL
  END AS is_one_touch,
  CASE
    WHEN tickets.lifecycle_basis = 'events' THEN counts.agent_comment_count = 2 AND tickets.last_solved_at IS NOT NULL
  END AS is_two_touch,
  CASE
    WHEN tickets.lifecycle_basis = 'events' THEN counts.agent_comment_count > 2 AND tickets.last_solved_at IS NOT NULL
  END AS is_multi_touch,
  tickets.is_sla_met,
  tickets.is_escalated,
  tickets.solved_at IS NOT NULL AS is_solved,
  tickets.is_closed_without_solution,
  tickets.is_deleted,
  tickets.is_merged,
  tickets.merged_into_ticket_id,
  tickets.is_spam,
  tickets.lifecycle_basis = 'events'
  AND bot_only_tickets.ticket_id IS NOT NULL AS is_bot_only
FROM linked_lifecycles AS tickets
INNER JOIN {{ rows('work.ticket_owner_times') }} AS owner_times ON tickets.ticket_number = owner_times.ticket_number
INNER JOIN {{ rows('work.ticket_message_counts') }} AS counts ON tickets.ticket_number = counts.ticket_number
LEFT JOIN (
  SELECT
    ticket_number,
    -- Who opened the ticket waits in its first turn: the customer, or an agent's outbound message in turn 0.
    MIN(CASE WHEN is_opening THEN replied_at END) AS first_replied_at,
    MIN(CASE WHEN is_opening THEN replied_position END) AS first_replied_position,
    CAST(COUNT(CASE WHEN NOT is_opening THEN replied_at END) AS INTEGER) AS next_reply_count,
    CAST(
      SUM(CASE WHEN NOT is_opening THEN {{ sql.seconds_between('started_at', 'replied_at') }} END) AS BIGINT
    ) AS next_reply_calendar_seconds,
    CAST(SUM(CASE WHEN NOT is_opening THEN replied_position - started_position END) AS BIGINT)
      AS next_reply_business_seconds
  FROM {{ rows('work.ticket_turns') }}
  GROUP BY ticket_number
) AS turns ON tickets.ticket_number = turns.ticket_number
LEFT JOIN move_counts ON tickets.ticket_number = move_counts.ticket_number
LEFT JOIN bot_only_tickets ON tickets.ticket_id = bot_only_tickets.ticket_id
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
LEFT JOIN core.reporting_offsets AS replied_day ON CAST(turns.first_replied_at AS DATE) = replied_day.utc_date
LEFT JOIN core.reporting_offsets AS first_solved_day
  ON CAST(tickets.first_solved_at AS DATE) = first_solved_day.utc_date
LEFT JOIN core.reporting_offsets AS solved_day ON CAST(tickets.solved_at AS DATE) = solved_day.utc_date
