-- Grain: one row per answer about a ticket and each answer about the same ticket (itself too).
-- A rating that comes or goes changes which of its ticket's ratings is the last: so its siblings are refreshed with it.
SELECT
  answers.response_id,
  siblings.response_id AS sibling_id
FROM staging.survey_responses AS answers
INNER JOIN staging.survey_responses AS siblings ON answers.ticket_id = siblings.ticket_id
