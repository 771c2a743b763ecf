-- Grain: one row per answer about a ticket and each answer about the same ticket, as of the refresh before.
SELECT
  answers.response_id,
  siblings.response_id AS sibling_id
FROM core.survey_responses AS answers
INNER JOIN core.survey_responses AS siblings ON answers.ticket_id = siblings.ticket_id
