-- Grain: one row per comment that came with an answer to a survey and can still be read.
-- Comments that were erased, are past their time or were deleted in the source are not here; the answers stay in
-- core.survey_responses, so that no figure moves. The text is as it was stored: redacted.
WITH comments AS (
  SELECT
    response_id,
    respondent_email,
    comment,
    language AS stated_language,
    LENGTH(comment) AS comment_character_count,
    {{ sql.count_of('comment', 'A-Za-z') }} AS latin_count,
    {{ sql.count_of('comment', '㐀-䶿一-鿿') }} AS han_count,
    {{ sql.count_of('comment', 'ぁ-ヿ가-힣') }} AS kana_and_hangul_count
  FROM {{ rows('staging.survey_responses') }}
  WHERE
    comment IS NOT NULL
    AND TRIM(comment) NOT IN ('', '[erased]', '[expired]')
    AND deleted_at IS NULL
)

SELECT
  comments.response_id,
  answers.source,
  answers.survey_id,
  answers.survey_kind,
  answers.instrument,
  answers.ticket_id,
  answers.customer_id,
  comments.respondent_email,
  answers.account_id,
  answers.responded_at,
  answers.responded_date,
  answers.score,
  answers.scale_minimum,
  answers.scale_maximum,
  CASE
    WHEN NOT answers.is_unusable
      THEN {{ sql.ratio('answers.turned_score - answers.scale_minimum', 'answers.scale_maximum - answers.scale_minimum') }}
  END AS rating_ratio,
  CASE
    WHEN answers.is_unusable OR answers.is_unanswered THEN 'unrated'
    WHEN answers.formula = 'net_promoter' AND answers.is_detractor THEN 'against'
    WHEN answers.formula = 'net_promoter' AND answers.is_promoter THEN 'for'
    WHEN answers.formula = 'net_promoter' THEN 'between'
    WHEN answers.formula = 'effort_2' AND answers.is_difficult THEN 'against'
    WHEN answers.formula = 'effort_2' AND answers.is_easy THEN 'for'
    WHEN answers.formula = 'effort_2' THEN 'between'
    WHEN answers.item_gap < 0 THEN 'against'
    WHEN answers.item_gap >= 0 THEN 'for'
    WHEN answers.turned_score <= surveys.bad_to THEN 'against'
    WHEN answers.turned_score >= surveys.good_from THEN 'for'
    ELSE 'between'
  END AS stance,
  answers.channel,
  answers.team_id,
  answers.priority,
  answers.account_tier,
  CASE
    WHEN comments.han_count * 5 >= comments.comment_character_count AND comments.kana_and_hangul_count = 0 THEN 'zh'
    WHEN comments.latin_count * 2 < comments.comment_character_count THEN 'other'
    WHEN LOWER(comments.stated_language) LIKE 'en%' OR LOWER(comments.stated_language) LIKE 'zh%' THEN 'en'
    WHEN comments.stated_language IS NULL THEN 'en'
    ELSE 'other'
  END AS language,
  comments.comment,
  comments.comment_character_count
FROM comments
INNER JOIN {{ rows('core.survey_responses') }} AS answers ON comments.response_id = answers.response_id
LEFT JOIN core.surveys AS surveys ON answers.survey_id = surveys.survey_id
