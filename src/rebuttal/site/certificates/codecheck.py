"""codecheck.yml: what CODECHECK's tools read of a certificate (https://codecheck.org.uk/spec/config/1.0/).

An identifier in CODECHECK's register, the checkers' ORCIDs and a DOI of the report are given by people, and are left
out here rather than made up.
"""

import io
from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAML

from rebuttal.evidence.references.bundle import BundleFile
from rebuttal.site.certificates.certificate_page import NAME as PAGE

NAME = "codecheck.yml"
VERSION = "https://codecheck.org.uk/spec/config/1.0/"
COMMENTS = {
    "verdicts": "verdicts computed from the results",
    "results": "results that verdicts are computed from",
    "page": "a page made from the results",
}


def text(content: dict[str, Any], files: Sequence[BundleFile], links: Sequence[str]) -> str:
    """The file. links: of the papers whose claims were measured."""
    manifest = [
        {"file": file.path, "comment": COMMENTS[file.role]} for file in files if file.role in COMMENTS
    ]
    fields = {
        "version": VERSION,
        "paper": {
            "title": "Measured answers to reviewers of papers on asynchronous and parallel training",
            "authors": [{"name": "The rebuttal authors"}],
            "reference": links[0],
            "reference-other": list(links[1:]),
        },
        "manifest": manifest,
        "codechecker": [{"name": "rebuttal certify (an automatic comparison)"}],
        "summary": f"A rerun in the profile {content['profile']} against the reference {content['reference']['name']}: "
        f"{content['outcome']}.",
        "check_time": content["made"],
        "report": PAGE,
    }
    writer, written = YAML(), io.StringIO()
    writer.explicit_start, writer.width = True, 120
    writer.dump(fields, written)
    return written.getvalue()
