INSERT INTO website_paths (project_id, website_id, path, first_seen, deleted_at)
SELECT project_id, website_id, path, min(first_seen), {at:Int64}
FROM website_paths
WHERE project_id IN {projects:Array(String)}
  AND website_id IN {ids:Array(String)}
GROUP BY project_id, website_id, path
HAVING max(last_seen) <= fromUnixTimestamp64Milli({at:Int64}, 'UTC') AND max(last_seen) > max(deleted_at)
-- projects = ["p1"]
-- ids = ["0123"]
-- at = "1700000000000"
