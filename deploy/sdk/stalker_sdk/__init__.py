"""Everything a job needs to tell Stalker what it found.

A job is a script. It reads its parameters, looks at something, and calls
``log_finding``. Importing this package has no effect: the connection to the
gateway is made by the first finding or log line. Without a gateway (no
``STALKER_GATEWAY`` in the environment) everything is printed instead, so a
script runs as it is on its author's machine.

The names and the order of arguments are those of the reference's job SDK.
"""

from stalker_sdk.convert import build_url, convert_value, is_valid_ip, is_valid_port, to_boolean
from stalker_sdk.domains import emit_all_domains, get_all_domains
from stalker_sdk.findings import (
    CoverageFinding,
    DomainFinding,
    Field,
    Finding,
    ImageField,
    IpFinding,
    IpRangeFinding,
    PortFinding,
    TagFinding,
    TextField,
    WebsiteFinding,
)
from stalker_sdk.params import ParameterError, Parameters, params
from stalker_sdk.session import (
    GatewayError,
    JobStatus,
    Session,
    fail,
    log_debug,
    log_error,
    log_finding,
    log_info,
    log_status,
    log_warning,
)

__all__ = [
    "CoverageFinding", "DomainFinding", "Field", "Finding", "GatewayError", "ImageField", "IpFinding",
    "IpRangeFinding", "JobStatus", "ParameterError", "Parameters", "PortFinding", "Session", "TagFinding", "TextField",
    "WebsiteFinding", "build_url", "convert_value", "emit_all_domains", "fail", "get_all_domains",
    "is_valid_ip", "is_valid_port", "log_debug", "log_error", "log_finding", "log_info", "log_status",
    "log_warning", "params", "to_boolean",
]
