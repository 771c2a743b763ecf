"""Costs, checks and measurements on both engines: the oracle's cost per contact, shared costs, items counted once."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sql.staging_rows import publish, version
from support.real_data import DATA

from hansei.catalog import Catalog, load_catalog
from hansei.catalog.loader import chosen
from hansei.indicators.measure import Measurement
from hansei.settings import Settings
from hansei.warehouse import Warehouse
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import plant

ORACLE: Path = DATA.parent / "oracles" / "misc.json"
MARCH = date(2026, 3, 1)


OF_CHECKS = ("error_rate", "error_correction_rate", "quality_errors_per_hundred")


@pytest.fixture
def catalog(settings: Settings) -> Catalog:
    shipped = load_catalog(settings)
    return replace(shipped, indicators=chosen(shipped.indicators, ["cost", "elsewhere", *OF_CHECKS])[0])


def night(warehouse: Warehouse, catalog: Catalog, run_id: str = "run") -> None:
    plant(warehouse, catalog, run_id)
    refresh_models(warehouse, catalog, "core", run_id)
    Measurement(warehouse, catalog, run_id, datetime(2026, 4, 5)).run()


def measured(warehouse: Warehouse, indicator: str, segment: str = "all") -> dict[str, Any]:
    query = (
        "SELECT numerator, denominator, value, state, sample_count FROM indicators.indicator_values "
        "WHERE indicator = :indicator AND grain = 'month' AND period_start = :start AND segment_id = :segment"
    )
    [row] = warehouse.rows(query, {"indicator": indicator, "start": MARCH, "segment": segment})
    return row


def post(warehouse: Warehouse, catalog: Catalog, *postings: tuple[float, str | None, str]) -> None:
    rows = [
        {"cost_id": f"books:{number}", "posted_date": date(2026, 3, 31), "kind": "staff", "currency": currency}
        | {"amount": amount, "channel": channel}
        for number, (amount, channel, currency) in enumerate(postings)
    ]
    publish(warehouse, catalog.entities["costs"], rows, source="books")


def tickets(warehouse: Warehouse, catalog: Catalog, **per_channel: int) -> None:
    rows = [
        {"ticket_id": f"desk:{channel}{number}", "status": "open", "channel": channel}
        | {"created_at": datetime(2026, 3, 2 + number % 28, 9)}
        for channel, count in per_channel.items()
        for number in range(count)
    ]
    publish(warehouse, catalog.entities["tickets"], rows)


def test_cost_per_contact_is_the_oracles(warehouse: Warehouse, catalog: Catalog) -> None:
    if not ORACLE.is_file():
        pytest.skip(f"no oracles: {ORACLE} does not exist; set HANSEI_DATA to the folder of the public data sets")
    full, empty = json.loads(ORACLE.read_text(encoding="utf-8"))["cost_per_contact"]
    assert (full["contacts"], empty["contacts"], empty["cost_per_contact"]) == (800, 0, None)
    post(warehouse, catalog, (empty["total_cost"], None, "EUR"))
    night(warehouse, catalog)
    without = measured(warehouse, "cost_per_contact")
    assert (without["value"], without["state"]) == (None, "no_data")
    assert measured(warehouse, "service_cost")["value"] == empty["total_cost"]
    tickets(warehouse, catalog, mail=500, phone=full["contacts"] - 500)
    night(warehouse, catalog, "second")
    assert measured(warehouse, "cost_per_contact")["value"] == pytest.approx(full["cost_per_contact"], rel=1e-9)


def test_what_no_channel_caused_is_shared_and_nothing_is_lost(warehouse: Warehouse, catalog: Catalog) -> None:
    """Mail 300 + 3/4 of 1 000 over 30 contacts, phone 500 + 1/4 over 10; dollars count nowhere, the bot stays apart."""
    post(
        warehouse,
        catalog,
        (300, "mail", "EUR"),
        (500, "phone", "EUR"),
        (1000, None, "EUR"),
        (777, "mail", "USD"),
        (60, "bot", "EUR"),
        (24, "self_service", "EUR"),
    )
    tickets(warehouse, catalog, mail=30, phone=10)
    sessions = [
        {"conversation_id": f"bot:{number}", "channel": "chat", "started_at": datetime(2026, 3, 3, 9)}
        | {"is_handed_off": number < 4}
        for number in range(24)
    ]
    publish(warehouse, catalog.entities["conversations"], sessions)
    used = {"measurement_id": "kb:1", "measure": "self_service_uses", "measured_date": date(2026, 3, 31)}
    publish(warehouse, catalog.entities["measurements"], [{**used, "numerator": 120.0}], source="kb")
    night(warehouse, catalog)
    assert measured(warehouse, "cost_per_contact", "channel=mail")["value"] == pytest.approx(35.0, rel=1e-9)
    assert measured(warehouse, "cost_per_contact", "channel=phone")["value"] == pytest.approx(75.0, rel=1e-9)
    assert measured(warehouse, "cost_per_contact")["value"] == pytest.approx(1800 / 40, rel=1e-9)
    assert measured(warehouse, "cost_per_bot_session")["value"] == pytest.approx(2.5, rel=1e-9)
    assert measured(warehouse, "cost_per_self_service_use")["value"] == pytest.approx(0.2, rel=1e-9)
    share = measured(warehouse, "automation_share")
    assert (share["numerator"], share["denominator"]) == (20, 60)  # 20 sessions, and the 40 tickets of people
    loaded = warehouse.scalar("SELECT SUM(loaded_amount) FROM core.channel_costs")
    posted = warehouse.scalar("SELECT SUM(amount) FROM core.costs WHERE NOT is_other_currency")
    assert loaded == posted  # to the last digit
    warned = "SELECT failed_count FROM ops.check_results WHERE entity = 'core.costs' AND check_id = 'one_currency'"
    assert warehouse.scalar(warned) == 1


def test_checks_count_items_and_a_ticket_once(warehouse: Warehouse, catalog: Catalog) -> None:
    tickets(warehouse, catalog, mail=2)
    check = {"checked_at": datetime(2026, 3, 9, 10), "checked_item_count": 20, "ticket_id": "desk:mail0"}
    publish(
        warehouse,
        catalog.entities["quality_checks"],
        [
            {**check, "quality_check_id": "qa:1", "error_count": 3, "corrected_count": 2, "found_error_count": 5},
            # The same ticket again, a day later: not counted.
            {**check, "quality_check_id": "qa:2", "error_count": 9, "checked_at": datetime(2026, 3, 10)},
            # Nobody says what was corrected, or how many errors an item had: left out there, one each here.
            {**check, "quality_check_id": "qa:3", "error_count": 1, "ticket_id": "desk:mail1"},
            {**check, "quality_check_id": "qa:4", "error_count": 0, "corrected_count": 0, "ticket_id": None},
            {**check, "quality_check_id": "qa:5", "error_count": 0, "corrected_count": 0, "ticket_id": None},
        ],
    )
    night(warehouse, catalog)
    errors = measured(warehouse, "error_rate")
    assert (errors["numerator"], errors["denominator"], errors["sample_count"]) == (4, 80, 80)
    corrected = measured(warehouse, "error_correction_rate")
    assert (corrected["numerator"], corrected["denominator"]) == (2, 3)
    assert measured(warehouse, "quality_errors_per_hundred")["value"] == pytest.approx(100 * 6 / 80, rel=1e-9)
    assert measured(warehouse, "error_rate", "channel=mail")["denominator"] == 40


def test_any_measure_of_another_system_is_an_indicator_by_its_file(warehouse: Warehouse, catalog: Catalog) -> None:
    entity, at = catalog.entities["measurements"], {"measured_date": date(2026, 3, 15)}
    reported = [
        ("data_encrypted", "stores", 38.0, 40.0),
        ("data_encrypted", "backups", 9.0, 10.0),
        ("data_encrypted", "laptops", 12.0, 10.0),  # impossible as a share: flagged, not counted
        ("training_completed", None, 22.0, 25.0),
        ("energy_per_contact", None, 4200.0, 600.0),
    ]
    rows = [
        {"measurement_id": f"m:{number}", "measure": measure, "segment": part, **at}
        | {"numerator": numerator, "denominator": denominator}
        for number, (measure, part, numerator, denominator) in enumerate(reported)
    ]
    publish(warehouse, entity, rows, source="elsewhere")
    night(warehouse, catalog)
    encrypted = measured(warehouse, "data_encrypted")
    assert (encrypted["numerator"], encrypted["denominator"]) == (47, 50)
    assert measured(warehouse, "data_encrypted", "part=backups")["value"] == pytest.approx(0.9, rel=1e-9)
    assert measured(warehouse, "training_completed", "part=unknown")["value"] == pytest.approx(0.88, rel=1e-9)
    assert measured(warehouse, "energy_per_contact")["value"] == pytest.approx(7.0, rel=1e-9)
    assert warehouse.scalar("SELECT COUNT(*) FROM core.measurements WHERE is_over_one") == 2

    corrected = {**rows[2], "numerator": 10.0, "source_version": version(9)}
    publish(warehouse, entity, [corrected], source="elsewhere")
    night(warehouse, catalog, "second")
    assert measured(warehouse, "data_encrypted")["value"] == pytest.approx(57 / 60, rel=1e-9)


def test_the_example_of_the_documentation_works_as_it_says(
    warehouse: Warehouse, settings: Settings, repository: Path, tmp_path: Path
) -> None:
    """9 of 10 and 27 of 30 in one quarter are 36 of 40."""
    text = (repository / "docs" / "measured_elsewhere.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    file = tmp_path / "definitions" / "indicators" / "elsewhere" / "backups_restored.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(example, encoding="utf-8")
    catalog = load_catalog(replace(settings, overlays=(tmp_path / "definitions",)))
    rows = [
        {"measurement_id": f"m:{day}", "measure": "backups_restored", "measured_date": day}
        | {"numerator": numerator, "denominator": denominator}
        for day, numerator, denominator in ((date(2026, 1, 31), 9.0, 10.0), (date(2026, 3, 31), 27.0, 30.0))
    ]
    publish(warehouse, catalog.entities["measurements"], rows, source="elsewhere")
    night(warehouse, catalog)
    query = (
        "SELECT numerator, denominator, value, state FROM indicators.indicator_values "
        "WHERE indicator = 'backups_restored' AND grain = 'quarter' AND segment_id = 'all' AND state = 'ok'"
    )
    [row] = warehouse.rows(query)
    assert (row["numerator"], row["denominator"]) == (36, 40)
    assert row["value"] == pytest.approx(0.9, rel=1e-9)
