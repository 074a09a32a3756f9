"""Writes every page of the project in the current folder, as many at a time as there are cores. Run as a script."""


def main() -> None:
    """What the last stage of the pipeline does."""
    from rebuttal.site.all_pages import write_all
    from rebuttal.studies.runs.pool import run_all

    write_all(run_all)


if __name__ == "__main__":
    main()
