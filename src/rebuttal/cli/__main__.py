"""`python -m rebuttal.cli`: the command line."""

import sys

from rebuttal.cli import main

sys.exit(main())
