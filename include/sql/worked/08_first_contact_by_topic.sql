-- Grain: one row per topic with judged tickets.
-- Which topics are settled with one answer, and where do customers come back?
-- Judged are solved tickets of known customers whose repeat window (`repeat_window` in service.yaml) had ended at the
-- newest run: before that, nobody knows. A ticket misses for one of two reasons that ask for different cures: it took
-- more than one contact, or the customer came back after one. The rest is settled at first contact.
WITH judged_tickets AS (
  SELECT
    COALESCE(topic, 'unknown') AS topic,
    is_one_contact,
    has_repeat_contact,
    is_solved_at_first_contact
  FROM core.first_contact_resolutions
  WHERE
    NOT is_unjudged
    AND NOT is_deleted
    AND NOT is_merged
    AND NOT is_spam
    AND NOT is_bot_only
    AND window_ends_at <= (
      SELECT MAX(as_of)
      FROM ops.runs
    )
)

SELECT
  topic,
  COUNT(*) AS judged_count,
  COUNT(CASE WHEN is_solved_at_first_contact THEN 1 END) AS first_contact_count,
  COUNT(CASE WHEN NOT is_one_contact THEN 1 END) AS several_contacts_count,
  COUNT(CASE WHEN is_one_contact AND has_repeat_contact THEN 1 END) AS came_back_count,
  COUNT(CASE WHEN is_solved_at_first_contact THEN 1 END) / CAST(COUNT(*) AS DOUBLE PRECISION) AS first_contact_ratio
FROM judged_tickets
GROUP BY topic
ORDER BY judged_count DESC, topic
