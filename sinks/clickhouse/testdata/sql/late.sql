SELECT DISTINCT action, project_id, id, kind, since, until, first, last, domain, ports, protocol, path, cause, blocked_version, blocked
FROM sweeps
WHERE until >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND project_id IN {projects:Array(String)}
-- since = "1700000000000"
-- projects = ["p1"]
