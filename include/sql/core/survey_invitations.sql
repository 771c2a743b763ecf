-- Grain: one row per invitation to a survey, with what came of it.
-- An answer belongs to the invitation that it names, or, where it names none, to that of the same survey and ticket.
WITH answers AS (
  SELECT
    invitations.invitation_id,
    responses.response_id,
    responses.responded_at
  FROM {{ rows('staging.survey_invitations') }} AS invitations
  INNER JOIN staging.survey_responses AS responses ON invitations.invitation_id = responses.invitation_id
  WHERE responses.deleted_at IS NULL
  UNION ALL
  SELECT
    invitations.invitation_id,
    responses.response_id,
    responses.responded_at
  FROM {{ rows('staging.survey_invitations') }} AS invitations
  INNER JOIN staging.survey_responses AS responses
    ON invitations.ticket_id = responses.ticket_id
    AND invitations.survey_id = responses.survey_id
    AND responses.invitation_id IS NULL
  WHERE responses.deleted_at IS NULL
),

ranked_answers AS (
  SELECT
    invitation_id,
    response_id,
    responded_at AS answered_at,
    ROW_NUMBER() OVER (PARTITION BY invitation_id ORDER BY responded_at, response_id) AS answer_number
  FROM answers
)

SELECT
  invitations.invitation_id,
  invitations.source,
  invitations.survey_id,
  COALESCE(surveys.kind, 'unknown') AS survey_kind,
  invitations.ticket_id,
  invitations.customer_id,
  COALESCE(own_accounts.account_id, tickets.account_id, account_links.account_id) AS account_id,
  invitations.sent_at,
  {{ sql.reporting_date('invitations.sent_at', 'sent_day') }} AS sent_date,
  first_answers.response_id,
  first_answers.answered_at,
  {{ sql.reporting_date('first_answers.answered_at', 'answered_day') }} AS answered_date,
  {{ sql.seconds_between('invitations.sent_at', 'first_answers.answered_at') }} AS answer_calendar_seconds,
  COALESCE(invitations.is_bounced, FALSE) AND first_answers.answered_at IS NULL AS is_bounced,
  first_answers.answered_at IS NOT NULL AS is_answered,
  COALESCE(tickets.channel, 'unknown') AS channel,
  COALESCE(tickets.solved_team_id, 'unassigned') AS team_id,
  COALESCE(tickets.solved_priority, 'unknown') AS priority,
  COALESCE(versions.tier, 'unlinked') AS account_tier,
  invitations.deleted_at IS NOT NULL AS is_deleted
FROM {{ rows('staging.survey_invitations') }} AS invitations
LEFT JOIN ranked_answers AS first_answers
  ON invitations.invitation_id = first_answers.invitation_id
  AND first_answers.answer_number = 1
LEFT JOIN core.surveys AS surveys ON invitations.survey_id = surveys.survey_id
LEFT JOIN core.tickets AS tickets ON invitations.ticket_id = tickets.ticket_id
LEFT JOIN staging.accounts AS own_accounts ON invitations.account_id = own_accounts.account_id
LEFT JOIN core.account_links AS account_links ON invitations.customer_id = account_links.source_key
LEFT JOIN core.account_versions AS versions
  ON COALESCE(own_accounts.account_id, tickets.account_id, account_links.account_id) = versions.account_id
  AND invitations.sent_at >= versions.valid_from
  AND invitations.sent_at < versions.valid_to
LEFT JOIN core.reporting_offsets AS sent_day ON CAST(invitations.sent_at AS DATE) = sent_day.utc_date
LEFT JOIN core.reporting_offsets AS answered_day ON CAST(first_answers.answered_at AS DATE) = answered_day.utc_date
