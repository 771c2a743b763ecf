"""The command line as a user meets it: help for everything, one clear line for every mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hansei import cli
from hansei.catalog import load_catalog
from hansei.cli.references import references
from hansei.settings import SHIPPED_INCLUDE, load_settings


def commands(app: typer.Typer) -> dict[str, object]:
    found = {}

    def walk(command, path: str) -> None:
        for name, sub in getattr(command, "commands", {}).items():
            walk(sub, f"{path} {name}".strip())
        if not getattr(command, "commands", None):
            found[path] = command

    walk(typer.main.get_command(app), "")
    return found


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["hansei", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


def test_every_command_and_option_has_help() -> None:
    found = commands(cli.app)
    assert len(found) >= 18
    for name, command in found.items():
        assert command.help, name
        for parameter in command.params:
            if parameter.name not in ("help",):
                assert getattr(parameter, "help", None), f"{name} {parameter.name}"


def test_help_names_the_groups() -> None:
    text = CliRunner().invoke(cli.app, ["--help"]).output
    for group in ("check", "plan", "night", "sources", "quarantine", "links", "indicators", "review", "new"):
        assert group in text


MISTAKES = [
    (["sources", "check", "helpdesk"], "source 'helpdesk': is not defined: use one of: none is defined"),
    (
        ["indicators", "sql", "nps2", "--period", "2026-09-07"],
        "indicator 'nps2': is not defined: use one of: accounts_active",
    ),
    (["indicators", "sql", "nps", "--period", "monday"], "--period: 'monday' is no day: write it as 2026-09-07"),
    (["indicators", "sql", "nps", "--period", "2026-09-07", "--segment", "agent=1"], "--segment: 'agent=1'"),
    (["services", "figures", "--from", "x", "--until", "2026-09-01"], "--from: 'x' is no day: write it as 2026-09-01"),
    (["links", "check"], "there is no read copy yet: run a night first"),
    (["ticket", "explain", "desk:1"], "there is no warehouse yet: run a night first"),
    (["night", "--until", "tomorrow"], "--until: 'tomorrow' is no time"),
    (["night", "--since", "2026-01-01"], "a back-fill without --until or --reason"),
    (["quarantine", "discard", "--reason", "no use"], "say which rows; nothing is discarded by default"),
    (["review", "build", "monthly"], "review 'monthly': is not defined: use one of: account_review"),
    (["new", "source", "files", "desk"], "HANSEI_DEFINITIONS: not set"),
    (["new", "source", "mail", "desk"], "kind: 'mail': use one of: files, database, rest"),
]


@pytest.mark.parametrize(("arguments", "expected"), MISTAKES)
def test_a_mistake_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, arguments: list[str], expected: str
) -> None:
    code, _, error = run(monkeypatch, capsys, *arguments)
    assert code == 1
    assert expected in error
    assert "Traceback" not in error
    assert len(error.strip().splitlines()) == 1


def test_a_night_without_sources_says_how_to_begin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    code, _, error = run(monkeypatch, capsys, "night")
    assert code == 1
    assert "no source is defined" in error
    assert "hansei new source" in error


@pytest.mark.parametrize("kind", ["files", "database"])
def test_a_scaffolded_source_has_no_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path, kind: str
) -> None:
    monkeypatch.setenv("HANSEI_DEFINITIONS", str(tmp_path))
    assert run(monkeypatch, capsys, "new", "source", kind, "my_desk")[0] == 0
    assert run(monkeypatch, capsys, "new", "indicator", "my_rate")[0] == 0
    code, out, _ = run(monkeypatch, capsys, "check")
    assert code == 0, out
    shipped = len(load_catalog(load_settings({})).indicators)
    assert f"1 sources, {shipped + 1} indicators" in out
    code, _, error = run(monkeypatch, capsys, "new", "source", kind, "my_desk")
    assert (code, "exists already" in error) == (1, True)


def test_check_prints_faults_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "thresholds").mkdir()
    (tmp_path / "thresholds" / "odd.yaml").write_text("id: odd\nindicator: nothing\n")
    monkeypatch.setenv("HANSEI_DEFINITIONS", str(tmp_path))
    code, out, _ = run(monkeypatch, capsys, "check")
    assert code == 1
    assert f"{tmp_path}/thresholds/odd.yaml:1: kind: is missing: add it" in out


def test_keys_are_fresh_and_usable(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    from cryptography.fernet import Fernet

    first = run(monkeypatch, capsys, "keys")[1]
    second = run(monkeypatch, capsys, "keys")[1]
    assert first != second
    values = dict(line.split("=", 1) for line in first.splitlines())
    assert len(values["HANSEI_IDENTITY_KEY"]) >= 32
    Fernet(values["HANSEI_QUARANTINE_KEY"])


def test_generated_references_are_current() -> None:
    for path, text in references().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is stale: run `make docs`"


def test_check_takes_several_overlays_and_fails_where_one_has_a_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    spoiled = tmp_path / "spoiled" / "thresholds"
    spoiled.mkdir(parents=True)
    (spoiled / "odd.yaml").write_text("id: odd\nindicator: unheard_of\n", "utf-8")
    whole = SHIPPED_INCLUDE / "definitions" / "examples" / "ravenstack"
    code, out, _ = run(monkeypatch, capsys, "check", str(whole), str(tmp_path / "spoiled"))
    assert code == 1
    assert "ravenstack: no fault" in out and "odd.yaml" in out
    code, out, _ = run(monkeypatch, capsys, "check", str(whole), "--json")
    assert (code, json.loads(out)) == (0, [])
    code, _, err = run(monkeypatch, capsys, "check", str(tmp_path / "nowhere"))
    assert code == 1 and "does not exist" in err
