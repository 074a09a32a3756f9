"""What people who know DVC expect: metrics, plots and experiments. On DVC itself, with a stand-in for what trains."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_pipeline import ENVIRONMENT, ROOT, dvc, finished  # noqa: F401 - a fixture

STAND_IN = """
import json, sys, time
from pathlib import Path
kind, out = sys.argv[1], Path(sys.argv[2])
with open("ran.txt", "a") as log:
    print(kind, out, file=log)
out.mkdir(parents=True, exist_ok=True)
(out / "content").write_text(str(time.time_ns()))
for more in sys.argv[3:]:
    Path(more).write_text("")
if kind == "pages":
    for name, effect in (("bw-1", 1.5), ("lw-2", 0.25)):
        said = {"effect": effect, "low": 0.1, "high": 2.0, "n": 5, "word": "depends"}
        (out / "metrics").mkdir(exist_ok=True)
        (out / "metrics" / f"{name}.json").write_text(json.dumps(said))
    (out / "curves").mkdir(exist_ok=True)
    rows = [f"{epoch},{1 / (1 + epoch)},{method}" for method in ("one", "two") for epoch in range(3)]
    (out / "curves" / "layer-wise.csv").write_text("\\n".join(["epoch,test_loss,method", *rows]) + "\\n")
"""
GIT = ("git", "-c", "user.name=someone", "-c", "user.email=someone@example.org")


@pytest.fixture(scope="module")
def repository(finished, tmp_path_factory) -> Path:  # noqa: F811
    """The finished project as a repository whose studies and pages take no time, run once."""
    folder = Path(shutil.copytree(finished, tmp_path_factory.mktemp("dvc") / "project", symlinks=True))
    shutil.copy(ROOT / ".gitignore", folder)
    text = (folder / "dvc.yaml").read_text()
    for kind, command, out in (
        ("study", "study ${item.paper} --profile ${item.profile}", "results/${item.profile}/${item.paper}"),
        ("pages", "pages --profile ${item.profile}", "reports/${item.profile}"),
        ("worker_counts", "worker_counts --profile ${item.profile}",
         "results/${item.profile}/worker_counts results/${item.profile}/analyses/worker_counts.nc"),
    ):  # fmt: skip
        assert f"exec python -m rebuttal.cli {command}" in text
        text = text.replace(
            f"exec python -m rebuttal.cli {command}", f"{sys.executable} stand_in.py {kind} {out}"
        )
    (folder / "dvc.yaml").write_text(text)
    (folder / "stand_in.py").write_text(STAND_IN)
    with (folder / ".gitignore").open("a") as file:
        file.write("ran.txt\nsite-cache\n")
    config = (folder / ".dvc/config").read_text().replace("    no_scm = true\n", "")
    (folder / ".dvc/config").write_text(config)
    (folder / ".dvc/.gitignore").write_text("/config.local\n/tmp\n/cache\n")
    shutil.rmtree(folder / ".git", ignore_errors=True)
    for command in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "one")):
        subprocess.run([*GIT, *command], cwd=folder, check=True, capture_output=True)
    dvc(folder, "repro")
    subprocess.run([*GIT, "commit", "-q", "-a", "-m", "run"], cwd=folder, check=True, capture_output=True)
    assert git(folder, "status", "--porcelain") == ""
    return folder


def git(folder: Path, *command: str) -> str:
    return subprocess.run(
        [*GIT, *command], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def ran(folder: Path) -> list[str]:
    """What has run since the last look."""
    log = folder / "ran.txt"
    lines = log.read_text().split("\n")[:-1] if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


def test_metrics_show_has_a_row_for_each_question_with_its_number_interval_and_word(repository):
    shown = json.loads(dvc(repository, "metrics", "show", "--json"))[""]["data"]
    rows = {Path(name).stem: found["data"] for name, found in shown.items()}
    assert set(rows) == {"bw-1", "lw-2"}
    assert rows["lw-2"] == {"effect": 0.25, "low": 0.1, "high": 2.0, "n": 5, "word": "depends"}
    table = dvc(repository, "metrics", "show")
    assert sum("bw-1" in line for line in table.splitlines()) == 1


def test_plots_show_draws_a_line_for_each_method(repository):
    said = dvc(repository, "plots", "show", "--out", "plots")
    page = (repository / "plots" / "index.html").read_text()
    shutil.rmtree(repository / "plots")
    assert "index.html" in said
    assert '"field": "method"' in page.replace("'", '"')
    assert "layer-wise.csv" in page


def test_one_number_of_one_study_reruns_that_study_and_its_pages(repository):
    ran(repository)
    number = "papers/random-smoothing/study.yaml:sizes.quick.epochs=3"
    dvc(repository, "exp", "run", "-S", number)
    assert ran(repository) == ["study results/quick/random-smoothing", "pages reports/quick"]
    changed = json.loads(dvc(repository, "params", "diff", "--json"))
    assert list(changed) == ["papers/random-smoothing/study.yaml"]
    experiments = json.loads(dvc(repository, "exp", "show", "--json"))
    assert any(one.get("experiments") for one in experiments)
    dvc(repository, "plots", "diff", "HEAD", "--out", "plots")
    shutil.rmtree(repository / "plots")
    assert dvc(repository, "metrics", "diff").strip() == ""  # the stand-in measures the same again
