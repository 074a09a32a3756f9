"""Imported only by the process that nodes are forked from: it ends at once when it ends, with nothing to tidy.

Taking torch down module by module can last seconds on a busy host, in which a killed run would have left a process.
"""

import atexit
import os

atexit.register(os._exit, 0)
