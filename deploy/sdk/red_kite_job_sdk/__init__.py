"""The reference product's name for its job SDK: scripts that import it run as they are.

Everything here is ``stalker_sdk``'s. In a job of Stalker it speaks to the gateway; where the reference runs the
script, which its ``RedKiteContext`` tells, to that product's orchestrator; anywhere else it prints.
"""

from stalker_sdk import *  # noqa: F403
from stalker_sdk import __all__  # noqa: F401
