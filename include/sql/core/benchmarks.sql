-- Grain: one row per benchmark, segment and month from which its value holds until the next.
WITH published AS (
  {%- set listed = namespace(count=0) %}
  {%- for benchmark in benchmarks.values() if benchmark.indicator in directions %}
  {%- for item in benchmark.months %}
  {%- if listed.count %}
  UNION ALL
  {%- endif %}
  {%- set listed.count = listed.count + 1 %}
  SELECT
    {{ sql.text_list([benchmark.id]) }} AS benchmark_id,
    {{ sql.text_list([benchmark.indicator]) }} AS indicator,
    {{ sql.text_list([item.segment]) }} AS segment_id,
    CAST('{{ item.month }}' AS DATE) AS valid_from_date,
    {{ sql.cast(item.value, 'double') }} AS value,
    {{ sql.text_list([item.source or benchmark.source]) }} AS source,
    {{ benchmark.consecutive_months }} AS consecutive_months,
    {{ benchmark.minimum_count }} AS minimum_count,
    {{ 'TRUE' if benchmark.missing_month == 'skipped' else 'FALSE' }} AS is_missing_month_skipped,
    {{ 'TRUE' if directions[benchmark.indicator] == 'lower_is_better' else 'FALSE' }} AS is_lower_better,
    {{ sql.text_list([benchmark.action]) }} AS action
  {%- endfor %}
  {%- endfor %}
  {%- if not listed.count %}
  SELECT
    CAST(NULL AS VARCHAR) AS benchmark_id,
    CAST(NULL AS VARCHAR) AS indicator,
    CAST(NULL AS VARCHAR) AS segment_id,
    CAST(NULL AS DATE) AS valid_from_date,
    CAST(NULL AS DOUBLE PRECISION) AS value,
    CAST(NULL AS VARCHAR) AS source,
    0 AS consecutive_months,
    0 AS minimum_count,
    FALSE AS is_missing_month_skipped,
    FALSE AS is_lower_better,
    CAST(NULL AS VARCHAR) AS action
  WHERE FALSE
  {%- endif %}
)

SELECT
  published.*,
  COALESCE(
    LEAD(valid_from_date) OVER (PARTITION BY benchmark_id, segment_id ORDER BY valid_from_date),
    CAST('2070-01-01' AS DATE)
  ) AS valid_to_date
FROM published
