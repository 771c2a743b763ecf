-- Grain: one row per comment and topic that its words name.
-- Topics are those of the taxonomy (definitions of the kind `topics`); a comment whose words none of them knows is not
-- here. A topic that speaks for the service is not looked for where the rating speaks against it, and the other way.
WITH comments AS (
  SELECT
    response_id,
    stance,
    TRANSLATE(comment, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ’', 'abcdefghijklmnopqrstuvwxyz''') AS words
  FROM {{ rows('core.survey_comments') }}
),

named AS (
  {%- for topic in topics %}
  {%- if not loop.first %}
  UNION ALL
  {%- endif %}
  SELECT
    response_id,
    {{ sql.text_list([topic.id]) }} AS topic_id,
    {{ topic.precedence }} AS precedence
  FROM comments
  WHERE
    {{ sql.matches('words', sql.text_list([topic.pattern])) }}
    {%- if topic.other_stance %}
    AND stance <> {{ sql.text_list([topic.other_stance]) }}
    {%- endif %}
  {%- endfor %}
  {%- if not topics %}
  SELECT
    response_id,
    stance AS topic_id,
    0 AS precedence
  FROM comments
  WHERE FALSE
  {%- endif %}
)

SELECT
  response_id,
  topic_id,
  CAST(ROW_NUMBER() OVER (PARTITION BY response_id ORDER BY precedence, topic_id) AS INTEGER) AS topic_rank
FROM named
