"""Import this before nbformat or altair: it keeps a slow package out that neither of them uses here.

Both load jsonschema, which looks for packages that check optional formats; one of them, rfc3987_syntax, builds a
grammar as it is imported, which takes longer than all other imports of a stage. Without it, jsonschema does not check
the formats of internationalised addresses, which no notebook and no chart has.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None: as if it were not installed
