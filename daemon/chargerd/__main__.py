"""``python -m chargerd`` is the command ``chargerd``."""

import sys

from chargerd.cli.main import main

sys.exit(main())
