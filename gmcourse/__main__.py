"""`python -m gmcourse`: the command line."""

import sys

from gmcourse.cli import main

sys.exit(main())
