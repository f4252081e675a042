"""The file that Azure's worker imports to find the functions; a bundle for Azure has it at its root, with host.json."""

import os

from lastmile_runtime.adapters.azure import create

app = create(os.environ)
