"""ro-crate-metadata.json: the certificate as a research object (RO-Crate 1.1, https://w3id.org/ro/crate/1.1).

The folder is the crate; every file is a data entity with its size and SHA-256, grouped by what it is there for, and
the comparison is an action that read the results and made the certificate.
"""

from collections.abc import Sequence
from typing import Any

from rebuttal.evidence.references.bundle import BundleFile, Role

NAME = "ro-crate-metadata.json"
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
LICENCE = "https://spdx.org/licenses/Apache-2.0"
FORMATS = {
    "json": "application/json", "nc": "application/netcdf", "yaml": "application/yaml", "yml": "application/yaml",
    "html": "text/html", "css": "text/css", "js": "text/javascript", "py": "text/x-python",
    "ipynb": "application/x-ipynb+json", "toml": "application/toml",
}  # fmt: skip
ABOUT: dict[Role, str] = {
    "code": "source code", "parameters": "every number that a run depends on", "rules": "claims, concerns and rules",
    "results": "result file", "verdicts": "verdicts and certificate", "notebook": "notebook", "page": "published page",
}  # fmt: skip
Entity = dict[str, Any]
AUTHORS: Entity = {"@id": "#authors", "@type": "Organization", "name": "The rebuttal authors"}


def metadata(content: dict[str, Any], files: Sequence[BundleFile]) -> dict[str, Any]:
    """The JSON-LD document of a certificate."""
    # schema.org's sha256 is not among the terms of RO-Crate 1.1
    context = [f"{SPECIFICATION}/context", {"sha256": "http://schema.org/sha256"}]
    descriptor = {
        "@id": NAME,
        "@type": "CreativeWork",
        "conformsTo": {"@id": SPECIFICATION},
        "about": {"@id": "./"},
    }
    licence = {"@id": LICENCE, "@type": "CreativeWork", "name": "Apache License 2.0",
               "description": "Permissive licence of code, results and pages."}  # fmt: skip
    graph = [
        descriptor,
        _root(content, files),
        licence,
        AUTHORS,
        *map(_file, files),
        *_action(content, files),
    ]
    return {"@context": context, "@graph": graph}


def _root(content: dict[str, Any], files: Sequence[BundleFile]) -> Entity:
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"A rerun against the reference {content['reference']['name']}: {content['outcome']}",
        "description": "Code, parameters, rules, results, notebooks and pages of a rerun, and how its verdicts compare "
        "with those of reference results under tolerances that were fixed beforehand.",
        "author": {"@id": AUTHORS["@id"]},
        "datePublished": content["made"],
        "license": {"@id": LICENCE},
        "hasPart": [{"@id": file.path} for file in files],
        "mentions": [{"@id": "#comparison"}],
    }


def _file(file: BundleFile) -> Entity:
    kind = ["File", "SoftwareSourceCode"] if file.role in ("code", "notebook") else "File"
    suffix = file.path.rpartition(".")[2]
    return {"@id": file.path, "@type": kind, "name": file.path, "description": ABOUT[file.role],
            "encodingFormat": FORMATS.get(suffix, "text/plain"), "contentSize": str(file.bytes),
            "sha256": file.sha256}  # fmt: skip


def _action(content: dict[str, Any], files: Sequence[BundleFile]) -> list[Entity]:
    """The comparison and the program that made it."""
    read = [{"@id": file.path} for file in files if file.role in ("parameters", "rules", "results")]
    made = [{"@id": file.path} for file in files if file.role == "verdicts"]
    action = {"@id": "#comparison", "@type": "CreateAction", "name": "rebuttal certify", "endTime": content["made"],
              "instrument": {"@id": "#rebuttal"}, "object": read, "result": made,
              "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"}}  # fmt: skip
    program = {"@id": "#rebuttal", "@type": "SoftwareApplication", "name": "rebuttal",
               "description": "The program whose code this crate holds, under src/.",
               "softwareVersion": content["rerun"]["code_sha256"]}  # fmt: skip
    return [action, program]
