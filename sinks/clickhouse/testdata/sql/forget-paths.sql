INSERT INTO website_paths (project_id, website_id, path, first_seen, deleted_at, status)
SELECT project_id, website_id, path, min(first_seen), {at:Int64}, ({version:UInt64}, 0)
FROM website_paths
WHERE project_id IN {projects:Array(String)}
  AND website_id IN {ids:Array(String)}
GROUP BY project_id, website_id, path
HAVING min(first_seen) <= fromUnixTimestamp64Milli({at:Int64}, 'UTC') AND max(deleted_at) < fromUnixTimestamp64Milli({at:Int64}, 'UTC')
-- projects = ["p1"]
-- ids = ["0123"]
-- at = "1700000000000"
-- version = "1782579200001048575"
