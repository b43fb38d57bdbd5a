import ast
import errno
import re
from pathlib import Path

import pytest

from shelfcast import __version__, cli, config, flags
from shelfcast.arguments import SCHEDULED, command_parser
from shelfcast.generator import generate
from shelfcast.steps import backfill
from shelfcast.submit import Submission, job_files

ROOT = Path(__file__).parents[1]
# What a job cannot be without, and the flag or argument that it has beside those of every job.
NEEDED = {
    "backfill": ["--from", "2017-08-01", "--to", "2017-08-02"],
    "backup": ["copy"],
    "restore": ["copy"],
    "lineage": ["2017-08-01/product/367/1082185/1"],
}
OWN_FLAGS = {
    "backfill": "--dry-run",
    "backup": "OUT",
    "daily": "--fail-on",
    "lineage": "FORECAST_ID",
    "restore": "FROM",
    "retrain": "--now",
}


def test_jobs_lists_every_job_with_the_first_line_of_its_docstring(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["jobs"]) == 0
    listed = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert listed == {name: _first_line(path) for name, path in job_files().items()}
    assert set(listed) == {path.stem for path in (ROOT / "jobs").glob("*.py")}


def _first_line(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, f"{path.name}: no docstring"
    name, _, what = docstring.splitlines()[0].partition(": ")
    assert name == path.stem
    return what


def test_the_planner_s_tour_of_the_readme_makes_plans_publishes_and_serves_one_chain() -> None:
    section = (ROOT / "README.md").read_text().partition("\n## A planner's tour\n")[2].partition("\n## ")[0]
    lines = [line.split()[1:] for line in section.splitlines() if line.startswith("    .venv/bin/shelfcast ")]
    known = [command_parser().parse_known_args(line) for line in lines]
    assert [getattr(told, "job", told.command) for told, _ in known] == [
        *("generate", "pipeline", "plan_inventory", "report", "serve"),
    ]
    chain = known[0][0]
    for told, rest in known[1:]:
        settings = config.load(ROOT / (rest[-1] if rest else told.config[0]))
        assert (settings.source.path, settings.source.tells_of_supply) == (str(chain.out), True)


def test_an_unknown_job_is_wrong_usage_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["submit", "ingets", "--config", "conf/x.yaml"]) == 2
    line = f"shelfcast: job 'ingets': unknown; wanted one of {', '.join(job_files())}\n"
    assert capsys.readouterr().err == line


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no-command"),
        pytest.param(["submit"], id="no-job"),
        pytest.param(["jobs", "--config", "x.yaml"], id="a-flag-that-is-not-the-command's"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(arguments)
    assert exit_.value.code == 2
    assert "usage: shelfcast" in capsys.readouterr().err


def test_submit_prints_the_command_runs_it_and_returns_its_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    submitted: list[Submission] = []
    (tmp_path / "clean.py").write_text('"""clean: raw -> clean"""')
    monkeypatch.setattr(cli, "job_files", lambda: {"clean": tmp_path / "clean.py"})
    monkeypatch.setattr(cli, "run", lambda it: submitted.append(it) or 75)
    flags = ["--config", "x.yaml", "--region", "north", "--set", "a.b=c", "--set", "d=e"]
    assert cli.main(["submit", "clean", "--master", "local[2]", "--spark-conf", "spark.x=y", *flags]) == 75
    command = submitted[0].command
    assert command[-9:] == (str(tmp_path / "clean.py"), *flags)
    assert command[command.index("--master") + 1] == "local[2]"
    assert command[command.index("--conf") + 1] == "spark.x=y"
    assert capsys.readouterr().err == f"{submitted[0]}\n"


@pytest.mark.parametrize("name", SCHEDULED)
def test_a_scheduled_job_is_a_command_of_its_own(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    submitted: list[Submission] = []
    monkeypatch.setattr(cli, "run", lambda it: submitted.append(it) or 0)
    words = [*NEEDED.get(name, []), "--config", "x.yaml", "--as-of", "2017-08-01"]
    for command in ([name], ["submit", name]):
        assert cli.main([*command, "--master", "local[2]", *words]) == 0
    own, by_submit = (it.command for it in submitted)
    assert own == by_submit
    assert own[own.index(str(job_files()[name])) + 1 :] == tuple(words)
    capsys.readouterr()


@pytest.mark.parametrize(("name", "flag"), [*OWN_FLAGS.items()])
def test_help_shows_the_flags_of_the_job_beside_those_of_spark(
    name: str, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ([name], ["submit", name]):
        with pytest.raises(SystemExit, match="0"):
            cli.main([*command, "--help"])
        told = capsys.readouterr().out
        assert told.startswith(f"usage: shelfcast {' '.join(command)} ")
        assert {"--master", "--spark-conf", "--config", "--as-of", flag} <= {
            *re.findall(r"--[a-z-]+|\b[A-Z_]+\b", told)
        }


def test_help_without_a_job_is_that_of_submit(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["submit", "--help"])
    assert "`shelfcast jobs` lists them" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["backfill", "--config", "x.yaml", "--from", "2017-08-01"], "the following arguments are required: --to"),
        (["submit", "clean"], "the following arguments are required: --config"),
        (["submit", "clean", "--config", "x.yaml", "--now"], "unrecognized arguments: --now"),
        (
            ["daily", "--config", "x.yaml", "--as-of", "2017-02-30"],
            "argument --as-of: found '2017-02-30', wanted a day",
        ),
    ],
)
def test_what_a_job_does_not_take_is_wrong_usage_before_anything_is_submitted(
    words: list[str], wanted: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "run", lambda _: pytest.fail("submitted"))
    with pytest.raises(SystemExit, match="2"):
        cli.main(words)
    told = capsys.readouterr().err
    assert f"usage: shelfcast {words[0]}" in told
    assert wanted in told


def test_no_flag_of_a_job_is_known_to_its_script_alone() -> None:
    scripts = [*job_files().values(), *(ROOT / "lib" / "shelfcast" / "steps").glob("*.py")]
    assert not [path.name for path in scripts if "add_argument" in path.read_text(encoding="utf-8")]
    assert {*backfill.REPROCESS} == {*flags.REPROCESS}


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        pytest.param("spark.hadoop.fs.s3a.secret.key", True, id="secret"),
        pytest.param("spark.hadoop.fs.s3a.access.key", True, id="access-key-with-a-dot"),
        pytest.param("spark.myAccessKey", True, id="access-key-in-another-case"),
        pytest.param("spark.ssl.keyPassword", True, id="password"),
        pytest.param("spark.hadoop.fs.s3a.session.token", True, id="token"),
        pytest.param("spark.driver.extraJavaOptions=-Dmy.password", True, id="secret-within-a-value"),
        pytest.param("spark.hadoop.fs.azure.account.key.SHOPS.dfs.core.windows.net", True, id="account-key-of-azure"),
        pytest.param("spark.hadoop.fs.s3a.encryption.key", True, id="key-that-s3-encrypts-by"),
        pytest.param("spark.hadoop.fs.gs.auth.service.account.private.key", True, id="private-key-of-google"),
        pytest.param("spark.hadoop.fs.azure.account.keyprovider.SHOPS", False, id="no-key-but-who-has-it"),
        pytest.param("spark.io.encryption.keySizeBits", False, id="no-key-but-its-size"),
        pytest.param("spark.hadoop.fs.s3a.endpoint", False, id="no-secret"),
    ],
)
def test_a_secret_is_submitted_and_not_printed(
    name: str, is_secret: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    submitted: list[Submission] = []
    (tmp_path / "clean.py").write_text('"""clean: raw -> clean"""')
    monkeypatch.setattr(cli, "job_files", lambda: {"clean": tmp_path / "clean.py"})
    monkeypatch.setattr(cli, "run", lambda it: submitted.append(it) or 0)
    cli.main(["submit", "clean", "--spark-conf", f"{name}=canary=two\nlines", "--config", "x.yaml"])
    printed = capsys.readouterr().err
    assert f"{name}=canary=two\nlines" in submitted[0].command
    assert f"{name}=" in printed
    assert is_secret == ("canary" not in printed) == ("lines" not in printed)


def test_package_writes_the_archive_where_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["package", "--output", str(tmp_path / "deep" / "x.zip")]) == 0
    assert (tmp_path / "deep" / "x.zip").stat().st_size > 0
    assert capsys.readouterr().out == f"{tmp_path / 'deep' / 'x.zip'}\n"


def test_what_cannot_be_written_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert cli.main(["package", "--output", str(tmp_path / "file" / "x.zip")]) == 1
    wanted = f"{tmp_path / 'file'}: cannot be written (File exists); wanted a folder that this user may write to"
    assert capsys.readouterr().err == f"shelfcast: {wanted}\n"


@pytest.mark.usefixtures("spark")
def test_a_chain_has_a_folder_that_can_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert cli.main(["generate", "tiny", str(tmp_path / "file" / "out")]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"shelfcast: {tmp_path / 'file' / 'out'}: cannot be made (Not a directory); wanted a folder")
    assert told.count("\n") == 1


def test_an_interrupt_of_any_command_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "job_files", interrupted)
    assert cli.main(["jobs"]) == 130
    assert capsys.readouterr().err == "shelfcast: interrupted\n"


@pytest.mark.usefixtures("spark")
def test_generate_writes_a_chain_and_counts_its_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["generate", "tiny", str(tmp_path / "out"), "--rows", "9000", "--seed", "5"]) == 0
    counts = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert set(counts) == {path.name.rpartition("-")[0] for path in (tmp_path / "out").glob("*.csv")} | {"dirty"}
    assert int(counts["SalesFINAL12312016"].removesuffix(" rows").replace(",", "")) == pytest.approx(9000, rel=0.02)


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        pytest.param(["tinny", "new"], "chain 'tinny': unknown; wanted a file, or one of", id="unknown-chain"),
        pytest.param(["tiny", "full"], "full: found files there already; wanted an empty folder", id="out-not-empty"),
        pytest.param(["tiny", "new", "--rows", "0"], "rows: found 0, wanted: greater than or equal to 1", id="no-rows"),
        pytest.param(["tiny", "new", "--rows", "9999999"], "rows: found 9,999,999, which chain tiny", id="too-many"),
    ],
)
@pytest.mark.usefixtures("spark")
def test_what_cannot_be_generated_is_told_in_one_line(
    arguments: list[str],
    wanted: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    assert cli.main(["generate", *arguments]) == 1
    told = capsys.readouterr().err
    assert wanted in told
    assert told.count("\n") == 1
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("spark")
def test_an_interrupted_chain_is_told_to_be_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(generate, "generate", interrupted)
    assert cli.main(["generate", "tiny", str(tmp_path)]) == 130
    assert (
        capsys.readouterr().err == f"shelfcast: interrupted; {tmp_path} is not whole: remove it before you try again\n"
    )


@pytest.mark.usefixtures("spark")
def test_a_failure_in_spark_ends_a_chain_in_one_line_and_is_kept_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def write_block(*_: object) -> None:
        raise NotADirectoryError(errno.ENOTDIR, "Not a directory", "out")

    monkeypatch.setattr(generate, "write_block", write_block)
    out = tmp_path / "out"
    assert cli.main(["generate", "tiny", str(out)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"shelfcast: {out} is not whole: remove it before you try again: ")
    assert "NotADirectoryError" in told
    assert told.count("\n") == 1
    assert "write_block" in Path(told.rpartition(" in ")[2].strip()).read_text()


@pytest.mark.usefixtures("spark")
def test_a_truth_that_cannot_be_written_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "truth")

    monkeypatch.setattr(generate, "generate", full)
    assert cli.main(["generate", "tiny", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert told.endswith("is not whole: remove it before you try again: [Errno 28] No space left on device: 'truth'\n")


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"shelfcast {__version__}\n"
