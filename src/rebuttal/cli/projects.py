"""Commands that write files of the repository. Each imports what it needs when it runs, so that help is quick."""

import argparse
import subprocess


def new_paper(given: argparse.Namespace) -> None:
    """Write the folder of a new paper."""
    from rebuttal.cli.new_paper import write

    print(write(given.paper))


def release(_: argparse.Namespace) -> None:
    """Publish the profile's site, its results and the README's findings.

    The pages of all profiles rest on reference/, which this writes: the lock of those that are published is renewed.

    Raises:
        InputError: something that the pages rest on was changed after they were made; also as `site.release.release`.
    """
    from rebuttal.base import paths
    from rebuttal.base.errors import InputError
    from rebuttal.cli.serving import DVC
    from rebuttal.site.release import release as publish

    stage = f"pages@{paths.profile()}"
    if subprocess.run([*DVC, "status", "--quiet", "--with-deps", stage], check=False).returncode:
        raise InputError(
            f"release: got {stage} out of date; allowed: pages of an up-to-date run (make repro)"
        )
    print(publish())
    subprocess.run([*DVC, "commit", "--quiet", "--force", stage], check=True)
