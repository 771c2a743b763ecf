"""Tables of scorecards, profiles, quadrants and risks; docs/scorecards.md and docs/risks.md tell what they hold."""

from __future__ import annotations

SCORING_TABLES: dict[str, dict[str, str]] = {}
_SCORED_LINE = {
    "line": "text",
    "indicator": "text",
    "indicator_version": "integer",
    "score": "double",
    "lower_score": "double",
    "upper_score": "double",
    "weight_ratio": "double",
    "used_weight_ratio": "double",
    "coverage_ratio": "double",
    "value": "double",
    "used_value": "double",
    "worst": "double",
    "best": "double",
    "sample_count": "bigint",
    "state": "text",
}
_SCORED_PLACE = {"version": "integer", "grain": "text", "period_start": "date", "segment_id": "text"}
_JUDGED = {"run_id": "text", "judged_at": "timestamp"}
_LOSS = {
    "currency": "text",
    "expected_loss": "double",
    "no_loss_probability": "double",
    "value_at_risk_90": "double",
    "value_at_risk_95": "double",
    "value_at_risk_99": "double",
    "expected_shortfall_90": "double",
    "expected_shortfall_95": "double",
    "expected_shortfall_99": "double",
}
SCORING_TABLES["indicators.scorecards"] = {
    "scorecard": "text",
    **_SCORED_PLACE,
    "dimension": "text",
    **_SCORED_LINE,
    **_JUDGED,
}
SCORING_TABLES["indicators.profiles"] = {
    "profile": "text",
    **_SCORED_PLACE,
    "axis": "text",
    **_SCORED_LINE,
    "is_minimum": "boolean",
    **_JUDGED,
}
SCORING_TABLES["indicators.quadrants"] = {
    "quadrants": "text",
    **_SCORED_PLACE,
    "efficiency_score": "double",
    "quality_score": "double",
    "cut_efficiency": "double",
    "cut_quality": "double",
    "peer_count": "bigint",
    "measured_quadrant": "text",
    "quadrant": "text",
    **_JUDGED,
}
SCORING_TABLES["indicators.risks"] = {
    "risk": "text",
    **_SCORED_PLACE,
    "indicator": "text",
    "cause": "text",
    "owner": "text",
    "value": "double",
    "value_state": "text",
    "limit_value": "double",
    "is_breaching": "boolean",
    "breaching_count": "bigint",
    "period_count": "bigint",
    "state": "text",
    "probability": "double",
    "likelihood_basis": "text",
    "likelihood": "integer",
    "likelihood_word": "text",
    "consequence": "integer",
    "score": "integer",
    "grade": "text",
    "residual_score": "integer",
    "residual_grade": "text",
    "trend": "text",
    "probability_change": "double",
    "key_indicator_count": "bigint",
    "key_indicator_beyond_count": "bigint",
    "is_counted": "boolean",
    **_LOSS,
    "seed": "bigint",
    "simulated_years": "bigint",
    **_JUDGED,
}
SCORING_TABLES["indicators.key_risk_indicators"] = {
    "risk": "text",
    **_SCORED_PLACE,
    "indicator": "text",
    "value": "double",
    "value_state": "text",
    "limit_value": "double",
    "is_beyond": "boolean",
    "owner": "text",
    **_JUDGED,
}
SCORING_TABLES["indicators.risk_totals"] = {
    "grain": "text",
    "period_start": "date",
    "risk_count": "bigint",
    "cause_count": "bigint",
    "priced_cause_count": "bigint",
    "highest_score": "integer",
    **_LOSS,
    **_JUDGED,
}
