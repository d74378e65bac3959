SELECT table, concat(hostName(), ' ', toString(max(max_block_number)), ' ', toString(max(data_version)))
FROM system.parts
WHERE active AND database = currentDatabase()
GROUP BY table
