from stalker_sdk import TextField, WebsiteFinding, fail, log_finding, log_info, params
from stalker_sdk.http1 import get
from stalker_sdk.wire import WireError

ip = params.ip("targetIp")
domain = params.string("domainName", "")
port = params.integer("port", 443, minimum=1, maximum=65535)
path = params.string("path", "/")
ssl = params.boolean("ssl", True)

try:
    answer = get(ip, port, host=domain, path=path, tls=ssl, seconds=10)
except WireError as error:
    fail(f"{domain or ip}:{port}: {error}")  # the execution fails, and this is its reason

log_info(f"{domain or ip}:{port}{path} answers {answer.status}")
log_finding(WebsiteFinding("HttpGetFinding", ip, port, domain, path, ssl, "Answer", [
    TextField("statusCode", "Status code", answer.status),
    TextField("length", "Length", len(answer.body)),
]))
