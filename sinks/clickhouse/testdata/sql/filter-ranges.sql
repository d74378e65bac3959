SELECT max(id), project_id, min(first_seen), max(last_seen), tupleElement(max(blocked), 'value'), tupleElement(max(blocked), 'version'), tupleElement(max(note), 'value'), tupleElement(max(owner), 'value'), max(cidr)
FROM ip_ranges
WHERE (project_id, addr, bits) IN (
SELECT project_id, addr, bits
FROM ip_ranges FINAL
WHERE ((((addr >= toIPv6('::ffff:0.0.0.0') AND addr <= toIPv6('::ffff:255.255.255.255')) AND addr <= {f0:IPv6} AND tupleElement(IPv6CIDRToRange(addr, toUInt8(if(addr >= toIPv6('::ffff:0.0.0.0') AND addr <= toIPv6('::ffff:255.255.255.255'), bits + 96, bits))), 2) >= {f1:IPv6})) AND (((addr >= toIPv6('::ffff:0.0.0.0') AND addr <= toIPv6('::ffff:255.255.255.255')) AND addr >= {f2:IPv6} AND tupleElement(IPv6CIDRToRange(addr, toUInt8(if(addr >= toIPv6('::ffff:0.0.0.0') AND addr <= toIPv6('::ffff:255.255.255.255'), bits + 96, bits))), 2) <= {f3:IPv6}))) OR ((NOT (addr >= toIPv6('::ffff:0.0.0.0') AND addr <= toIPv6('::ffff:255.255.255.255')) AND addr = {f4:IPv6} AND tupleElement(IPv6CIDRToRange(addr, toUInt8(if(addr >= toIPv6('::ffff:0.0.0.0') AND addr <= toIPv6('::ffff:255.255.255.255'), bits + 96, bits))), 2) = {f5:IPv6}))
  AND last_seen > deleted_at
ORDER BY project_id, addr, bits
LIMIT 51)
GROUP BY project_id, addr, bits
HAVING max(last_seen) > max(deleted_at)
ORDER BY project_id, addr, bits
LIMIT 51
SETTINGS optimize_aggregation_in_order = 1
-- f0 = "::ffff:10.1.2.3"
-- f1 = "::ffff:10.1.2.3"
-- f2 = "::ffff:10.0.0.0"
-- f3 = "::ffff:10.255.255.255"
-- f4 = "2001:db8::"
-- f5 = "2001:db8:0:ffff:ffff:ffff:ffff:ffff"
