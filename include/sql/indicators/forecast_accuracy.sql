-- Grain: one row per threshold of kind forecast: how its probabilities compare with what came.
WITH forecasts AS (
  SELECT
    made.threshold_id,
    made.indicator,
    made.grain,
    made.probability,
    made.verdict <> 'within' AS is_warning,
    CASE
      WHEN
        made.indicator IN ({{ sql.text_list(directions.items() | selectattr(1, 'eq', 'lower_is_better') | map(attribute=0) | list) }})
        THEN CASE WHEN came.value > made.limit_value THEN 1.0 ELSE 0.0 END
      ELSE CASE WHEN came.value < made.limit_value THEN 1.0 ELSE 0.0 END
    END AS happened
  FROM indicators.signals AS made
  INNER JOIN indicators.signals AS came
    ON
      made.threshold_id = came.threshold_id
      AND made.segment_id = came.segment_id
      AND made.forecast_start = came.period_start
  WHERE
    made.kind = 'forecast'
    AND made.probability IS NOT NULL
    -- What came is known: usable, and still the same phase of the process.
    AND came.probability IS NOT NULL
)
SELECT
  threshold_id,
  indicator,
  grain,
  COUNT(*) AS forecast_count,
  CAST(SUM(happened) AS BIGINT) AS happened_count,
  AVG(probability) AS mean_probability,
  CAST(AVG((probability - happened) * (probability - happened)) AS DOUBLE PRECISION) AS brier_score,
  CAST(AVG(happened) * (1 - AVG(happened)) AS DOUBLE PRECISION) AS constant_brier_score,
  COUNT(CASE WHEN is_warning THEN 1 END) AS warning_count,
  COUNT(CASE WHEN is_warning AND happened = 1 THEN 1 END) AS true_warning_count
FROM forecasts
GROUP BY threshold_id, indicator, grain
