-- Grain: one row per survey question that has a scale contract.
-- A contract that is a definition stands above what the source says of its instrument. Where a source does not say how
-- answers are read, the kind and the scale decide; a scale that the formula does not fit makes the question unusable.
WITH declared AS (
  {%- set listed = namespace(count=0) %}
  {%- for contract in contracts.values() %}
  {%- for question, dimension in contract.dimensions.items() %}
  {%- if listed.count %}
  UNION ALL
  {%- endif %}
  {%- set listed.count = listed.count + 1 %}
  SELECT
    {{ sql.text_list([question]) }} AS survey_id,
    {{ sql.text_list([contract.title]) }} AS name,
    {{ sql.text_list([contract.id]) }} AS instrument,
    {{ sql.text_list([contract.kind]) }} AS kind,
    {{ sql.text_list([contract.formula]) }} AS formula,
    {{ sql.text_list([contract.question or contract.title]) }} AS question,
    {{ sql.cast(contract.minimum, 'double') }} AS scale_minimum,
    {{ sql.cast(contract.maximum, 'double') }} AS scale_maximum,
    {{ 'TRUE' if contract.direction == 'higher_is_better' else 'FALSE' }} AS is_higher_better,
    {{ sql.cast('NULL' if contract.good_from is none else contract.good_from, 'double') }} AS good_from,
    {{ sql.cast('NULL' if contract.bad_to is none else contract.bad_to, 'double') }} AS bad_to,
    {{ sql.cast(sql.text_list([dimension]) if dimension else 'NULL', 'text') }} AS servqual_dimension,
    FALSE AS is_deleted
  {%- endfor %}
  {%- endfor %}
  {%- if not listed.count %}
  SELECT
    survey_id,
    name,
    instrument,
    kind,
    formula,
    question,
    scale_minimum,
    scale_maximum,
    is_higher_better,
    good_from,
    bad_to,
    servqual_dimension,
    FALSE AS is_deleted
  FROM staging.surveys
  WHERE FALSE
  {%- endif %}
),

contracts AS (
  SELECT
    declared.*,
    'definition' AS contract_from
  FROM declared
  UNION ALL
  SELECT
    surveys.survey_id,
    surveys.name,
    COALESCE(surveys.instrument, surveys.kind) AS instrument,
    surveys.kind,
    COALESCE(
      surveys.formula,
      CASE
        WHEN surveys.kind = 'csat' AND surveys.scale_maximum - surveys.scale_minimum = 1 THEN 'good_bad'
        WHEN surveys.kind = 'csat' THEN 'top_box'
        WHEN surveys.kind = 'nps' THEN 'net_promoter'
        WHEN surveys.kind = 'ces' AND surveys.is_higher_better THEN 'effort_2'
        WHEN surveys.kind = 'ces' THEN 'effort_1'
        WHEN surveys.kind = 'servqual' THEN 'gap'
        WHEN surveys.kind = 'servperf' THEN 'performance'
        WHEN surveys.kind IN ('first_contact', 'repetition') THEN 'good_bad'
        ELSE 'mean'
      END
    ) AS formula,
    surveys.question,
    surveys.scale_minimum,
    surveys.scale_maximum,
    surveys.is_higher_better,
    surveys.good_from,
    surveys.bad_to,
    surveys.servqual_dimension,
    surveys.deleted_at IS NOT NULL AS is_deleted,
    'source' AS contract_from
  FROM staging.surveys AS surveys
  LEFT JOIN declared ON surveys.survey_id = declared.survey_id
  WHERE declared.survey_id IS NULL
)

SELECT
  survey_id,
  name,
  instrument,
  kind,
  formula,
  question,
  scale_minimum,
  scale_maximum,
  is_higher_better,
  -- Two boxes at either end; of two points the one and the other.
  COALESCE(good_from, CASE WHEN formula = 'top_box' THEN scale_maximum - 1 ELSE scale_maximum END) AS good_from,
  COALESCE(bad_to, CASE WHEN formula = 'top_box' THEN scale_minimum + 1 ELSE scale_minimum END) AS bad_to,
  servqual_dimension,
  contract_from,
  CASE
    WHEN scale_maximum <= scale_minimum THEN 'the scale has no length'
    WHEN
      NOT CASE kind
        WHEN 'csat' THEN formula IN ('top_box', 'good_bad')
        WHEN 'nps' THEN formula = 'net_promoter'
        WHEN 'ces' THEN formula IN ('effort_1', 'effort_2')
        WHEN 'servqual' THEN formula = 'gap'
        WHEN 'servperf' THEN formula = 'performance'
        WHEN 'first_contact' THEN formula = 'good_bad'
        WHEN 'repetition' THEN formula = 'good_bad'
        ELSE formula IN ('mean', 'top_box', 'good_bad')
      END
      THEN 'the formula is none of the kind'
    WHEN
      NOT CASE formula
        WHEN 'top_box' THEN scale_maximum - scale_minimum >= 3
        WHEN 'net_promoter' THEN scale_maximum = 10 AND scale_minimum IN (0, 1) AND is_higher_better
        WHEN 'effort_1' THEN scale_minimum = 1 AND scale_maximum = 5 AND NOT is_higher_better
        WHEN 'effort_2' THEN scale_minimum = 1 AND scale_maximum = 7 AND is_higher_better
        ELSE TRUE
      END
      THEN 'the formula does not fit the scale'
    WHEN formula IN ('gap', 'performance') AND servqual_dimension IS NULL THEN 'the item has no dimension'
  END AS contract_fault,
  is_deleted
FROM contracts
