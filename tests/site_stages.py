"""Writes every page of the project in the current folder, as many at a time as there are cores. Run as a script."""


def main() -> None:
    """What the last stages of the pipeline do."""
    from rebuttal.report import site
    from rebuttal.report.all_pages import write_pages
    from rebuttal.studies.pool import run_all

    write_pages(run_all)
    site.write_measured()
    site.write_site()


if __name__ == "__main__":
    main()
