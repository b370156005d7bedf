"""``python -m engagement_pandas`` is the command ``engagement-pandas``."""

from engagement_pandas.cli import main

raise SystemExit(main())
