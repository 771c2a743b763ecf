-- Grain: one row per answer and the invitation that it belongs to, as the answers were last refreshed.
SELECT
  answers.response_id,
  answers.invitation_id
FROM core.survey_responses AS answers
WHERE answers.invitation_id IS NOT NULL
UNION ALL
SELECT
  answers.response_id,
  invitations.invitation_id
FROM core.survey_responses AS answers
INNER JOIN staging.survey_invitations AS invitations
  ON answers.ticket_id = invitations.ticket_id
  AND answers.survey_id = invitations.survey_id
WHERE answers.invitation_id IS NULL
