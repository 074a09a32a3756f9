"""Certificates and references. What is needed is imported when it is asked for, so that help is quick."""

import argparse

from rebuttal.base.errors import RunError
from rebuttal.cli.starting import started


def certify(given: argparse.Namespace) -> None:
    """Compare the results with a reference, check a bundle, or write a reference: as the arguments say."""
    if given.check:
        from rebuttal.site.certificates.certificate_check import check

        print(started(check)(given.check))
    elif given.write_reference:
        from rebuttal.evidence.references.reference import write

        print(f"wrote {started(write)(given.write_reference)}")
    else:
        from rebuttal.site.certificates.certificate import certify, summary

        content = started(certify)(given.reference)
        if content["outcome"] != "reproduced":
            raise RunError(summary(content))
        print(summary(content))
