"""How a command ends that did not come to its end, in one line and with the status that shells know it by."""

import errno

import pytest
import yaml

from rebuttal import cli
from rebuttal.base.config import yaml_text
from rebuttal.base.errors import InputError

FULL = OSError(errno.ENOSPC, "No space left on device", "results/curves.nc")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (KeyboardInterrupt(), 130, "rebuttal: interrupted\n"),
        (FULL, 1, "rebuttal: [Errno 28] No space left on device: 'results/curves.nc'\n"),
        (
            PermissionError(errno.EACCES, "Permission denied", "a"),
            1,
            "rebuttal: [Errno 13] Permission denied: 'a'\n",
        ),
        (MemoryError(), 1, "rebuttal: out of memory\n"),
        (MemoryError("8 GiB"), 1, "rebuttal: out of memory: 8 GiB\n"),
        (OSError("two\nlines"), 1, "rebuttal: two lines\n"),
    ],
)
def test_what_ends_a_command_is_said_in_one_line(error, status, said, monkeypatch, capsys):
    def fail(_):
        raise error

    monkeypatch.setattr(cli, "_run", fail)
    assert cli.main(["check"]) == status
    assert capsys.readouterr().err == said


def bomb(levels, width):
    """Aliases of aliases: width ** levels values in a few lines."""
    lines = ["a0: &a0 [" + ", ".join("x" * width) + "]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * width) + "]" for n in range(1, levels)]
    return "\n".join(lines)


HOSTILE = {
    "aliases of aliases": (bomb(9, 9), "aliases that stand for"),
    "many aliases": (bomb(3, 90), "aliases that stand for"),
    "brackets": ("a: " + "[" * 20_000 + "]" * 20_000, "too many levels"),
    "more brackets": ("a: " + "[" * 200_000, "too many levels"),
    "lists in a line": ("a:\n  " + "- " * 100_000, "too many levels"),
    "keys of keys": ("? " * 100_000, "too many levels"),
    "sections": ("a: " + "{b: " * 5_000 + "1" + "}" * 5_000, "too many levels"),
    "a section in itself": ("a: &a {b: *a}", "an alias within itself"),
    "a list in itself": ("a: &a [*a]", "an alias within itself"),
    "a large file": ("a: 1 # " + "x" * 5_000_000, "bytes"),
    "code": ("a: !!python/object/apply:os.system ['true']", "allowed"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_would_use_up_the_host_is_refused_in_one_line(name, tmp_path):
    text, said = HOSTILE[name]
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(InputError) as refusal:
        yaml_text.read(tmp_path / "params.yaml")
    line = str(refusal.value)
    assert said in line
    assert "\n" not in line
    assert len(line) < 1000


def test_a_few_aliases_are_as_good_as_none(tmp_path):
    text = "a: &a [1, 2]\nb: *a\nc: {d: *a}\n"
    (tmp_path / "params.yaml").write_text(text)
    assert yaml_text.read(tmp_path / "params.yaml") == yaml.safe_load(text)
