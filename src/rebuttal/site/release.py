"""`rebuttal release`: publish a profile's site in reports/, its results in reference/, its findings in the README.

Only this writes these files, so that all of them come from one run of one commit; a run of the pipeline writes none.
"""

import shutil
from pathlib import Path

from rebuttal.base import paths
from rebuttal.base.errors import InputError
from rebuttal.evidence import papers
from rebuttal.evidence.references import reference
from rebuttal.site.files import notes
from rebuttal.site.readme import write_readme
from rebuttal.studies.params import schema

PRIVATE = ("notebooks", "rows", "records", "metrics", "curves")  # of a profile's site, what stays there
KEPT = {".gitignore"}


def release() -> str:
    """Publish the results and pages of the selected profile; what was written.

    Raises:
        InputError: there is no site, or its results do not come from one clean commit.
    """
    site, target = paths.site(), paths.root() / "reports"
    if not (site / "index.html").is_file():
        raise InputError(f"{site}: no index.html; allowed: a profile that was run (make repro)")
    commit = one_commit()
    _clear(target)
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site)
        if path.is_file() and name.parts[0] not in PRIVATE:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / name)
    manifest = reference.write(paths.profile())
    write_readme()
    what = f"reports/, reference/{manifest.parent.name} and the README's findings"
    return f"published the profile {paths.profile()} of commit {commit[:12]}: {what}"


def one_commit() -> str:
    """The commit that every study of a reviewed paper was run on.

    Raises:
        InputError: there are several, or one whose sources had been changed.
    """
    found: dict[str, list[str]] = {}
    for name in papers.reviewed():
        for note in notes(paths.results(name), "provenance.json").values():
            found.setdefault(str(note["git_commit"]), []).append(name)
    unclean = [commit for commit in found if commit.endswith("+changes") or commit == "unknown"]
    if unclean or len(found) != 1:
        said = "; ".join(f"{commit} of {', '.join(names)}" for commit, names in found.items()) or "none"
        raise InputError(f"release: got results of the commits {said}; allowed: one commit without changes")
    return next(iter(found))


def _clear(target: Path) -> None:
    """Remove what was published before; the folders of the profiles stay."""
    profiles = set(schema.PROFILES)
    for path in sorted(target.iterdir()):
        if path.is_dir() and path.name not in profiles:
            shutil.rmtree(path)
        elif path.is_file() and path.name not in KEPT:
            path.unlink()
