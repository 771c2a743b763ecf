"""The form of DuckDB files: that of 1.3 for a new one and for what is attached; an older one stays as it is."""

import duckdb

from hansei.settings import load_settings
from hansei.warehouse import open_warehouse

FORMS = "SELECT database_name, tags['storage_version'] AS form FROM duckdb_databases() WHERE NOT internal"


def forms(warehouse):
    return {row["database_name"]: row["form"] for row in warehouse.rows(FORMS)}


def test_a_new_warehouse_and_its_copy_have_the_form_of_duckdb_1_3(tmp_path):
    with open_warehouse(load_settings({"HANSEI_HOME": str(tmp_path)})) as warehouse:
        warehouse.execute(f"ATTACH '{tmp_path / 'copy.duckdb'}' AS copy_of_it")
        assert forms(warehouse) == {"warehouse": "v1.3.0+", "copy_of_it": "v1.3.0+"}


def test_a_warehouse_of_an_older_form_is_read_and_written_and_stays_in_it(tmp_path):
    settings = load_settings({"HANSEI_HOME": str(tmp_path)})
    older = {"storage_compatibility_version": "v1.0.0"}
    with duckdb.connect(str(settings.warehouse_file), config=older) as made:
        made.execute("CREATE SCHEMA staging")
        made.execute("CREATE TABLE staging.kept AS SELECT 'zendesk:' || i AS ticket_id FROM RANGE(200000) AS r (i)")
    with open_warehouse(settings) as warehouse:
        warehouse.execute(
            "CREATE TABLE staging.added AS SELECT ticket_id FROM staging.kept WHERE ticket_id > 'zendesk:9'"
        )
        assert forms(warehouse) == {"warehouse": "v1.0.0+"}
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as reread:
        # Of 0 to 199,999 those after 9 as text: 90 to 99 and so on, 1 + 2 to 5 digits that begin with 9, less 9 itself.
        assert reread.execute("SELECT COUNT(*) FROM staging.added").fetchone() == (10 + 100 + 1000 + 10000,)
        assert reread.execute("SELECT COUNT(*) FROM staging.kept").fetchone() == (200_000,)
