-- Grain: one row per answer to one survey question, with the instrument's scale.
-- Channel, team and tier are those of the ticket that the answer is about; without a ticket those of the answer.
SELECT
  responses.response_id,
  responses.source,
  responses.survey_id,
  responses.survey_kind,
  responses.ticket_id,
  responses.customer_id,
  COALESCE(own_accounts.account_id, tickets.account_id, account_links.account_id) AS account_id,
  responses.responded_at,
  {{ sql.reporting_date('responses.responded_at', 'responded_day') }} AS responded_date,
  responses.score,
  responses.scale_minimum,
  responses.scale_maximum,
  responses.language,
  responses.comment IS NOT NULL AS has_comment,
  COALESCE(tickets.channel, responses.channel, 'unknown') AS channel,
  COALESCE(tickets.solved_team_id, 'unassigned') AS team_id,
  COALESCE(tickets.solved_priority, 'unknown') AS priority,
  COALESCE(versions.tier, 'unlinked') AS account_tier,
  responses.deleted_at IS NOT NULL AS is_deleted
FROM {{ rows('staging.survey_responses') }} AS responses
LEFT JOIN core.tickets AS tickets ON responses.ticket_id = tickets.ticket_id
LEFT JOIN staging.accounts AS own_accounts ON responses.account_id = own_accounts.account_id
LEFT JOIN core.account_links AS account_links ON responses.customer_id = account_links.source_key
LEFT JOIN core.account_versions AS versions
  ON COALESCE(own_accounts.account_id, tickets.account_id, account_links.account_id) = versions.account_id
  AND responses.responded_at >= versions.valid_from
  AND responses.responded_at < versions.valid_to
LEFT JOIN core.reporting_offsets AS responded_day ON CAST(responses.responded_at AS DATE) = responded_day.utc_date
