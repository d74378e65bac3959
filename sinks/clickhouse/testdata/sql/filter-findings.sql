SELECT id, project_id, correlation_key, at, source, execution_id, job, user_id, root_id, depth, type, key, name, tag, ssl, domain, ip, mask, port, protocol, path, fields
FROM findings
WHERE project_id = {project:String}
  AND (lowerUTF8(key) LIKE {f0:String}) AND ((ip != '' AND (addr >= {f1:IPv6} AND addr <= {f2:IPv6}))) AND (((position(said, {f3:String}) > 0 OR position(said, {f4:String}) > 0))) AND ((at >= fromUnixTimestamp64Milli({f5:Int64}, 'UTC') AND at <= fromUnixTimestamp64Milli({f6:Int64}, 'UTC'))) AND ((positionCaseInsensitiveUTF8(key, {f7:String}) > 0 OR position(said, {f8:String}) > 0))
  AND at >= fromUnixTimestamp64Milli({at:Int64}, 'UTC')
  AND (at, id) > (fromUnixTimestamp64Milli({at:Int64}, 'UTC'), {id:String})
ORDER BY project_id, at, id
LIMIT 51
-- project = "p1"
-- f0 = "vuln%"
-- f1 = "::ffff:10.0.0.0"
-- f2 = "::ffff:10.255.255.255"
-- f3 = "\xffSEVERITY\xfehigh\xff"
-- f4 = "\xffSEVERITY\xfecritical\xff"
-- f5 = 1767225600000
-- f6 = 1769903999999
-- f7 = "login"
-- f8 = "login"
-- at = "1700000000000"
-- id = "f1"
