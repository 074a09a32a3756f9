"""`python -m rebuttal`: the command line."""

import sys

from rebuttal.cli import main

sys.exit(main())
