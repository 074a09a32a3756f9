"""`rebuttal certify`: hold the present results against a reference, and write the certificate folder."""

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rebuttal.base import paths
from rebuttal.base.atomic_write import replacing
from rebuttal.evidence.references import bundle, ledgers, reference
from rebuttal.evidence.references.bundle import CERTIFICATE, FORMAT, REFERENCE_LEDGER, BundleFile
from rebuttal.site.certificates import agreement, certificate_page, codecheck, crate

FOLDER = "certificate"


def certify(folder: Path | None = None) -> dict[str, Any]:
    """Write certificate/ from the present results and the reference in a folder; what certificate.json says.

    Both ledgers are computed here, with the rules as they stand in papers/. The folder appears whole or not at all.

    Raises:
        InputError: results or reference are missing or broken, or their profiles differ.
    """
    root = paths.root()
    about = ledgers.papers_in(root)
    studies = ledgers.studies(about)
    held = reference.find(folder, reference.profile_of(paths.results(), studies))
    older = held.folder / "results"
    sides = [ledgers.rows(ledgers.held_by(about, older), older), ledgers.rows(about, paths.results())]
    with replacing(root / FOLDER) as partial:
        files = [*reference.gather(root, sides[1], studies, partial),
                 *bundle.copy(bundle.published(root), partial)]  # fmt: skip
        bundle.write_json(partial / REFERENCE_LEDGER, sides[0])
        files.append(bundle.described(partial, partial / REFERENCE_LEDGER, "verdicts"))
        questions = agreement.compare(sides[0], sides[1])
        content = {
            "format": FORMAT,
            "made": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "outcome": agreement.outcome(questions),
            "profile": held.profile,
            "tolerances": asdict(agreement.TOLERANCES),
            "reference": {
                "name": held.name,
                "machine": held.machine,
                "files_sha256": bundle.digest(held.files, "results"),
            },
            "rerun": {
                "machine": reference.machine_of(paths.results(), studies),
                "files_sha256": bundle.digest(files, "results"),
                "code_sha256": bundle.digest(files, "code"),
            },
            "questions": questions,
            "files": [asdict(file) for file in files],
        }
        _write_all(partial, content, files, [paper.links[0] for paper in about])
    return content


def _write_all(folder: Path, content: dict[str, Any], files: list[BundleFile], links: list[str]) -> None:
    """The certificate itself as JSON and HTML, and what other tools read of it."""
    bundle.write_json(folder / CERTIFICATE, content)
    certificate_page.write(folder, content)
    (folder / codecheck.NAME).write_text(codecheck.text(content, files, links), encoding="utf-8")
    made = [
        bundle.described(folder, folder / name, "verdicts")
        for name in (CERTIFICATE, certificate_page.NAME, codecheck.NAME)
    ]
    bundle.write_json(folder / crate.NAME, crate.metadata(content, [*files, *made]))


def summary(content: dict[str, Any]) -> str:
    """One line: the outcome, how many questions have which, and where to read on."""
    outcomes = [question["outcome"] for question in content["questions"]]
    counts = ", ".join(f"{outcomes.count(name)} {name}" for name in dict.fromkeys(outcomes))
    return (
        f"{content['outcome']}: of {len(outcomes)} questions {counts}; see {FOLDER}/{certificate_page.NAME}"
    )
