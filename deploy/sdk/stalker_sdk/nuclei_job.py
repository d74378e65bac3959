"""The script of a nuclei job; ``stalker_sdk.nuclei`` runs it with a template and, or not, a handler."""

import sys

from stalker_sdk.nuclei import scan

scan(*sys.argv[1:3])
