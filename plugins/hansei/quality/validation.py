"""Great Expectations over data frames: which rows of a part break which rule.

A data frame needs no shim on any engine and yields the failing rows. One suite serves all parts of a batch.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from hansei.quality.rules import Condition, Rule


@dataclass(frozen=True)
class Outcome:
    """What a rule said of one part: rows that it looked at (missing values are not looked at), rows that broke it."""

    rule: Rule
    checked: int
    failed_rows: tuple[int, ...]


class Suite:
    """The rules of one entity as a Great Expectations suite."""

    def __init__(self, name: str, rules: list[Rule]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import great_expectations as gx
            from great_expectations import expectations
            from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

        self.rules = rules
        # Without this Great Expectations makes a folder for documentation that nobody reads, and leaves it behind.
        stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
        context = gx.get_context(mode="ephemeral", project_config=DataContextConfig(store_backend_defaults=stores))
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
        self._definition = asset.add_batch_definition_whole_dataframe(name)
        self._asked = [(index, condition) for index, rule in enumerate(rules) for condition in rule.conditions]
        self._expectations = [getattr(expectations, item.expectation)(**item.arguments) for _, item in self._asked]
        self._suite = lambda chosen: gx.ExpectationSuite(name=name, expectations=chosen)

    def validate(self, part: pa.Table) -> list[Outcome]:
        """One outcome per rule, in the rules' order. A rule on a wholly empty column passes with nothing checked."""
        frame = _frame(part, sorted({name for rule in self.rules for name in rule.columns}))
        filled = {name: int(frame[name].notna().sum()) for name in frame.columns}
        outcomes = [Outcome(rule, 0, ()) for rule in self.rules]
        useful = {index for index, rule in enumerate(self.rules) if self._has_something(rule, filled)}
        asked = [position for position, (index, _) in enumerate(self._asked) if index in useful]
        if not asked or part.num_rows == 0:
            return outcomes
        for position in asked:
            _add_columns(frame, self._asked[position][1])
        batch = self._definition.get_batch(batch_parameters={"dataframe": frame})
        # Whether a rule is broken takes a third of the time of telling by which rows, and most never are.
        broken = [position for position, answer in self._answers(batch, asked, "BOOLEAN_ONLY") if not answer.success]
        failed: dict[int, set[int]] = {index: set() for index in useful}
        for position, answer in self._answers(batch, broken, "COMPLETE"):
            rows = answer.result.get("unexpected_index_list") or []
            failed[self._asked[position][0]].update(int(row) for row in rows)
        for index, rows in failed.items():
            rule = self.rules[index]
            checked = part.num_rows if rule.is_about_absence else min(filled[name] for name in rule.columns)
            outcomes[index] = Outcome(rule, checked, tuple(sorted(rows)))
        return outcomes

    def _answers(self, batch: Any, positions: list[int], detail: str) -> Iterator[tuple[int, Any]]:
        """Great Expectations' result for each of the conditions at these positions of what is asked."""
        if not positions:
            return
        suite = self._suite([self._expectations[position] for position in positions])
        result = batch.validate(suite, result_format={"result_format": detail, "partial_unexpected_count": 0})
        for position, answer in zip(positions, _in_order(result.results, suite), strict=True):
            if answer.exception_info and answer.exception_info.get("raised_exception"):
                rule = self.rules[self._asked[position][0]]
                message = answer.exception_info.get("exception_message")
                raise RuntimeError(f"rule {rule.id} could not run: {message}")
            yield position, answer

    @staticmethod
    def _has_something(rule: Rule, filled: dict[str, int]) -> bool:
        return rule.is_about_absence or all(filled[name] for name in rule.columns)


def _add_columns(frame: pd.DataFrame, condition: Condition) -> None:
    """The columns that a condition compares with beside those of the rows."""
    for name, value in condition.constants.items():
        frame[name] = value
    for name, (key, found) in condition.lookups.items():
        frame[name] = frame[key].map(found).astype("float64")
    for name, columns in condition.firsts.items():
        frame[name] = frame[list(columns)].bfill(axis=1).iloc[:, 0]


def _in_order(results: list[Any], suite: Any) -> list[Any]:
    """Great Expectations sorts its results by column; ours are wanted in the suite's order."""
    by_id = {result.expectation_config.id: result for result in results}
    if None in by_id or len(by_id) != len(results):
        by_key = {_key(result.expectation_config): result for result in results}
        return [by_key[_key(expectation.configuration)] for expectation in suite.expectations]
    return [by_id[expectation.id] for expectation in suite.expectations]


def _key(configuration: Any) -> tuple[str, str]:
    arguments = {
        name: value for name, value in configuration.kwargs.items() if name not in ("batch_id", "result_format")
    }
    return configuration.type, repr(sorted((name, str(value)) for name, value in arguments.items()))


def _frame(part: pa.Table, columns: list[str]) -> pd.DataFrame:
    """The columns that rules read, decimals as doubles, because comparing Decimal objects is a hundred times slower."""
    fields = []
    for name in columns:
        column = part.column(name)
        fields.append(column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column)
    return pa.table(fields, names=columns).to_pandas()
