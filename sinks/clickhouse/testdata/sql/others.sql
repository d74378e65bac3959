SELECT DISTINCT action, project_id, id, kind, since, until, first, last, domain, ports, protocol, path, cause, blocked_version, blocked
FROM sweeps
WHERE stored_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND stored_by NOT IN ('', {by:String})
LIMIT {limit:Int64}
-- since = "1700000000000"
-- by = "me"
-- limit = "10"
