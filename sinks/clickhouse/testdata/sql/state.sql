SELECT concat(hostName(), ' ', toString(max(max_block_number)), ' ', toString(max(data_version)), ' ', toString(count() = 0))
FROM system.parts
WHERE active AND database = currentDatabase() AND table = {table:String}
-- table = "domains"
