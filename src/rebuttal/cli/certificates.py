"""Certificates and references. What is needed is imported when it is asked for, so that help is quick."""

import argparse

from rebuttal.cli.starting import started
from rebuttal.errors import RunError


def certify(given: argparse.Namespace) -> None:
    """Compare the results with a reference, check a bundle, or write a reference: as the arguments say."""
    if given.check:
        from rebuttal.certificates.checking import check

        print(started(check)(given.check))
    elif given.write_reference:
        from rebuttal.references.reference import write

        print(f"wrote {started(write)(given.write_reference)}")
    else:
        from rebuttal.certificates.certificate import certify, summary

        content = started(certify)(given.reference)
        if content["outcome"] != "reproduced":
            raise RunError(summary(content))
        print(summary(content))
